"""Large files known again by path, size and time, so that their digests need not be computed each time."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from enlarger.errors import BookError, StorageError
from enlarger.messages import msg
from enlarger.storage import write_atomic

_SMALL_BYTES = 1 << 20
_YOUNG_S = 2.0
_HEX_DIGITS = 64


def fingerprint(path: Path) -> tuple[str, int, int]:
    """What changes when another file takes this one's place: absolute path, size, nanoseconds. Raises OSError."""
    state = path.stat()
    return str(path.absolute()), state.st_size, state.st_mtime_ns


def file_digest(path: Path, memory: Path) -> str:
    """SHA-256 of the file in hex; of a large one remembered in the folder `memory` while its fingerprint stays.

    A file changed within the last seconds is not remembered: it may change once more within one tick of its
    disk's clock. Raises BookError when the file cannot be read; a memory that cannot be used costs only time.
    """
    try:
        known = fingerprint(path)
        note = memory / f"{hashlib.sha256(known[0].encode(errors='surrogateescape')).hexdigest()[:32]}.json"
        if known[1] >= _SMALL_BYTES and (digest := _remembered(note, known)):
            return digest
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        is_settled = fingerprint(path) == known and abs(time.time() - known[2] / 1e9) > _YOUNG_S
    except OSError as error:
        raise BookError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
            msg("Check that it exists and that you are allowed to read it."),
        ) from error
    if known[1] >= _SMALL_BYTES and is_settled:
        _remember(note, known, digest)
    return digest


def _remembered(note: Path, known: tuple[str, int, int]) -> str | None:
    with suppress(OSError, ValueError, TypeError):
        *found, digest = json.loads(note.read_text("utf-8"))
        if tuple(found) == known and len(str(digest)) == _HEX_DIGITS:
            return str(digest)
    return None


def _remember(note: Path, known: tuple[str, int, int], digest: str) -> None:
    with suppress(StorageError, UnicodeEncodeError):  # a name that is no text is not remembered
        write_atomic(note, json.dumps([*known, digest], ensure_ascii=False).encode())
