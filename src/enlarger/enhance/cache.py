"""Finished renders by key: `<key>.<ext>` and, written last, `<key>.json`; the oldest use is dropped first.

The cache never holds the only copy of anything: outputs are linked or copied out of it. A hard link shares
its file with the output, and disks rot, so a render whose bytes are not those that were put is no hit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any
from uuid import uuid4

from enlarger.enhance.recipe import PIPELINE_VERSION
from enlarger.pictures import FORMATS, OUTPUT_SUFFIXES
from enlarger.storage import TEMPORARY_PREFIX, atomic_file, make_folder, remove, rename, sync_folder, write_atomic

_STALE_TEMPORARY_S = 24 * 3600
_MOST_FRESH = 8  # renders just put are on their way to their place: more than a road holds at once


@dataclass(frozen=True)
class Render:
    """A finished render: its file, format and facts (JSON)."""

    key: str
    path: Path
    format: str
    facts: Mapping[str, Any]

    @property
    def suffix(self) -> str:
        """The one of its format, with the dot."""
        return self.path.suffix


@dataclass(frozen=True)
class CacheStats:
    """What the cache holds."""

    total_files: int
    total_bytes: int
    folder: Path


class RenderCache:
    """Renders in `folder`, at most `max_bytes` of them. Safe between processes: every write is a rename."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._fresh: deque[str] = deque(maxlen=_MOST_FRESH)
        self._held_bytes: int | None = None  # counted on the first write, then kept up to date

    def get(self, key: str) -> Render | None:
        """The render, marked as used; None when it is missing, half written, or not the bytes that were put.

        Reads the file for its digest: some milliseconds, where making the render anew takes seconds.
        """
        facts_path = self._facts_path(key)
        try:
            facts = json.loads(facts_path.read_bytes())
            path = facts_path.with_name(facts["file"]["name"])
            if path.stat().st_size != facts["file"]["bytes"] or _sha256(path) != facts["file"]["sha256"]:
                return None
            os.utime(facts_path)
            return Render(key, path, facts["file"]["format"], facts)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, data: bytes, format: str, facts: Mapping[str, Any]) -> Render:  # noqa: A002
        """Store and return the render, durable on return; raises StorageError."""
        facts_path = self._facts_path(key)
        path = facts_path.with_suffix(FORMATS[format].suffix)
        write_atomic(path, data)
        file = {
            "name": path.name,
            "format": format,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        everything = {"key": key, "pipeline": PIPELINE_VERSION, "file": file, **facts}
        text = json.dumps(everything, ensure_ascii=False, indent=1)
        write_atomic(facts_path, text.encode())
        self._fresh.append(key)
        self._make_room(len(data))
        return Render(key, path, format, json.loads(text))  # as a later `get` reads it

    def stats(self) -> CacheStats:
        """Files and bytes held now."""
        sizes = [size for _, size, _ in self._entries()]
        return CacheStats(len(sizes), sum(sizes), self.folder)

    def clean(
        self,
        *,
        unused_for_s: float = 0.0,
        max_bytes: float = inf,
        keep: Container[str] = (),
        only: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> int:
        """Drop renders not used for so long, then the longest unused beyond `max_bytes`; how many went.

        Keys in `keep` stay whatever their age. only: those alone whose facts it says yes to.
        """
        removed = 0
        cutoff = time.time() - unused_for_s
        entries = sorted(self._entries())
        held_bytes = sum(size for _, size, _ in entries)
        for used, size, facts_path in entries:
            if used > cutoff and held_bytes <= max_bytes:
                break
            if facts_path.stem not in keep and (only is None or only(_facts_in(facts_path))):
                removed += self._drop(facts_path)
                held_bytes -= size
        self._held_bytes = None
        return removed

    def _make_room(self, added_bytes: int) -> None:
        if self._held_bytes is None:
            self._held_bytes = self.stats().total_bytes
        else:
            self._held_bytes += added_bytes
        if self._held_bytes > self._max_bytes:
            self.clean(
                unused_for_s=inf, max_bytes=self._max_bytes * 9 // 10, keep=self._fresh
            )  # a tenth: not at every page

    def _facts_path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """(last use, bytes, facts file) of every render; leftovers of killed processes are swept on the way."""
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                stat = path.stat()
                if path.name.startswith(TEMPORARY_PREFIX):
                    _sweep(path, stat.st_mtime)
                elif path.suffix == ".json":
                    yield stat.st_mtime, stat.st_size + _render_bytes(path), path

    def _drop(self, facts_path: Path) -> int:
        with suppress(OSError):
            for ending in OUTPUT_SUFFIXES:
                remove(facts_path.with_suffix(ending))
            remove(facts_path)  # last: without it nobody would find again what could not be deleted
            return 1
        return 0


def place(render: Render, target: Path, *, link: bool = False) -> None:
    """The render's bytes at `target`, durable, replacing what is there; raises StorageError.

    `link` shares the cache's file where the file system can: only for folders of our own, since a person who
    edits a linked file edits every copy.
    """
    if link and _link(render.path, target):
        return
    with atomic_file(target) as writer, render.path.open("rb") as reader:
        shutil.copyfileobj(reader, writer, 1 << 20)


def _link(source: Path, target: Path) -> bool:
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}{target.suffix}")
    try:
        make_folder(target.parent)
        os.link(source, temporary)
        rename(temporary, target)
        sync_folder(target.parent)
    except OSError:  # another file system, or one without links
        return False
    finally:
        with suppress(OSError):
            remove(temporary)  # renaming one link of a file onto another leaves both
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _render_bytes(facts_path: Path) -> int:
    for ending in OUTPUT_SUFFIXES:
        with suppress(OSError):
            return facts_path.with_suffix(ending).stat().st_size
    return 0


def _facts_in(facts_path: Path) -> Mapping[str, Any]:
    try:
        facts = json.loads(facts_path.read_bytes())
    except (OSError, ValueError):  # half written: nobody's
        return {}
    return facts if isinstance(facts, dict) else {}


def _sweep(path: Path, modified: float) -> None:
    if time.time() - modified > _STALE_TEMPORARY_S:
        remove(path)
