"""Compiled graphs kept on disk: whole or absent, checked before native code reads them, bounded in size.

OpenVINO has a cache of its own; it still reads and prepares the ONNX file first (half of the time to open
RealESRGAN x4plus) and does not notice flipped bits in stored weights (openvino 2026.4).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from enlarger.errors import StorageError
from enlarger.storage import atomic_file, remove

MAX_FILES = 64
MAX_BYTES = 2 * 1024**3
_SUFFIX = ".blob"
_DIGEST_BYTES = hashlib.sha256().digest_size


class CompiledGraphs:
    """Blobs by key in one folder; the least recently used go first. Safe for several processes."""

    def __init__(self, folder: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes

    def get(self, facts: Iterable[object]) -> bytes | None:
        """The blob stored under `facts`, or None when there is none or it is damaged."""
        path = self._path(facts)
        with suppress(OSError):
            data = path.read_bytes()
            blob = data[_DIGEST_BYTES:]
            if hashlib.sha256(blob).digest() == data[:_DIGEST_BYTES]:
                os.utime(path)  # used now
                return blob
        return None

    def put(self, facts: Iterable[object], blob: bytes) -> None:
        """Keep `blob`; a disk that is full or read-only costs speed the next time, not the work at hand."""
        with suppress(StorageError), atomic_file(self._path(facts)) as file:
            file.write(hashlib.sha256(blob).digest())
            file.write(blob)
        self._prune()

    def drop(self, facts: Iterable[object]) -> None:
        """Forget one blob, there or not."""
        with suppress(OSError):
            remove(self._path(facts))

    def _path(self, facts: Iterable[object]) -> Path:
        key = hashlib.sha256("\n".join(str(fact) for fact in facts).encode()).hexdigest()
        return self._folder / f"{key}{_SUFFIX}"

    def _prune(self) -> None:
        total_bytes = 0
        for number, (_used, size, path) in enumerate(sorted(self._entries(), reverse=True), start=1):
            total_bytes += size
            if number > self._max_files or total_bytes > self._max_bytes:
                with suppress(OSError):  # in use on Windows, or gone already
                    remove(path)

    def _entries(self) -> Iterable[tuple[int, int, Path]]:
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(OSError):  # another process pruned it
                stat = path.stat()
                yield stat.st_mtime_ns, stat.st_size, path
