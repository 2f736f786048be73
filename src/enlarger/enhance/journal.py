"""Which pages of an output are finished: written as they are done, read when the same command runs again.

A page counts as finished while its key is what it would be now and its file is as it was left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from enlarger.enhance.cache import Render
from enlarger.storage import make_folder, storage_errors, write_atomic

WHOLE = "/"  # the name an archive as a whole goes by: no page can have it
_ANNOUNCED = -1


@dataclass(frozen=True)
class Entry:
    """A finished page: sizes are (width, height) in pixels, `file` its path."""

    name: str
    key: str
    file: str
    format: str
    source_size: tuple[int, int]
    size: tuple[int, int]
    bytes: int
    mtime_ns: int


class Journal:
    """The finished pages of one output, one JSON line each. Losing it costs computing, never a page."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)

    @classmethod
    def of(cls, target: Path, folder: Path) -> Journal:
        """The journal of an output, in `folder`: a person's own folders stay clean."""
        name = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:32]
        return cls(folder / f"{name}.jsonl")

    @property
    def name(self) -> str:
        """What tells this output from all others."""
        return self._path.stem

    def holds(self, file: Path) -> bool:
        """Whether `file` is one of ours, as we left it or as we were about to write it."""
        path, state = str(file.resolve()), _state(file)
        entries = [entry for entry in self._entries.values() if entry.file == path]
        return any(entry.bytes == _ANNOUNCED or (entry.bytes, entry.mtime_ns) == state for entry in entries)

    def vouches(self) -> bool:
        """Whether anything it tells of is still there: without it, that would no longer be known as ours."""
        return any(Path(entry.file).exists() for entry in self._entries.values())

    def finished(self, name: str, key: str) -> Render | None:
        """The page's file if it is there and unchanged."""
        entry = self._entries.get(name)
        if entry is None or entry.key != key or _state(Path(entry.file)) != (entry.bytes, entry.mtime_ns):
            return None
        return _render(entry, Path(entry.file))

    def add(self, name: str, render: Render, file: Path) -> None:
        """Note that the page `name` lies at `file`; raises StorageError."""
        state = _state(file)
        if state is None:
            return
        sizes = (render.facts["source_size"], render.facts["size"])
        self._append(Entry(name, render.key, str(file.resolve()), render.format, *sizes, *state))

    def announce(self, archive: Path) -> None:
        """Note that the archive is about to be written, so that it is known as ours whatever happens meanwhile."""
        self._append(Entry(WHOLE, "", str(archive.resolve()), "", (0, 0), (0, 0), _ANNOUNCED, _ANNOUNCED))

    def pack(self, names: Iterable[str], archive: Path, contents: str) -> None:
        """Note that these pages now lie in the archive, and forget all others; `contents` tells it from any other."""
        path, (size_bytes, mtime_ns) = str(archive.resolve()), _state(archive) or (_ANNOUNCED, _ANNOUNCED)
        pages = [self._entries[name] for name in names if name in self._entries]
        whole = Entry(WHOLE, contents, path, "", (0, 0), (0, 0), size_bytes, mtime_ns)
        moved = [replace(page, file=path, bytes=size_bytes, mtime_ns=mtime_ns) for page in pages]
        self._entries = {entry.name: entry for entry in (*moved, whole)}
        write_atomic(self._path, "".join(map(_line, self._entries.values())).encode())

    def _append(self, entry: Entry) -> None:
        self._entries[entry.name] = entry
        with storage_errors(self._path):
            make_folder(self._path.parent)
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(_line(entry))


def _line(entry: Entry) -> str:
    return "\n" + json.dumps(asdict(entry), ensure_ascii=False)  # the break first: the last line may be cut short


def _render(entry: Entry, file: Path) -> Render:
    return Render(entry.key, file, entry.format, {"source_size": entry.source_size, "size": entry.size})


def _state(file: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        stat = file.stat()
        return stat.st_size, stat.st_mtime_ns
    return None


def _read(path: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError):  # a line cut short by a kill
                entry = Entry(**json.loads(line))
                entries[entry.name] = entry
    return entries
