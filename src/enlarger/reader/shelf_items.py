"""What lies on the shelf: the groups and books of a folder, in natural order, page by page; no archive is opened."""

from __future__ import annotations

import base64
import os
import stat
import threading
import time
import unicodedata
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from enlarger.books import BOOK_SUFFIXES, is_litter, is_page_name, natural_key
from enlarger.errors import InputError
from enlarger.messages import msg
from enlarger.reader.shelf_ids import printable
from enlarger.reader.shelf_roots import Root, Roots

_MOST_PEEKED = 5_000  # entries of a folder that are looked at to know what it is
_MOST_WALKED = 50_000  # entries of one search
_MOST_FOUND = 1_000
_SEARCH_S = 3.0
_MOST_LISTINGS = 8
_CONTAINERS = {".cbz": "zip", ".cbr": "rar", ".cb7": "7z", ".cbt": "tar"}


@dataclass(frozen=True)
class Item:
    """A group or a book. `relative`: its POSIX path below the root, as shown; pages: None until it was looked into."""

    root: Root
    path: Path
    kind: Literal["group", "book"]
    format: str
    relative: str
    modified_at: float
    bytes: int | None = None
    pages: int | None = None

    @property
    def title(self) -> str:
        """The file's name, without the suffix of an archive."""
        name = PurePosixPath(self.relative).name or printable(self.path.name) or self.root.name
        return name if self.format == "folder" else PurePosixPath(name).stem


@dataclass(frozen=True)
class _Entry:
    name: str  # below the folder that is listed, POSIX
    is_folder: bool


@dataclass(frozen=True)
class _Peek:
    """What lies directly in a folder."""

    pictures: int
    has_books: bool
    is_whole: bool


class Listings:
    """Thread-safe. Listings of the last few folders are kept as long as the folders' times are the same."""

    def __init__(self, roots: Roots, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._roots = roots
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, tuple[int, Sequence[_Entry]]] = OrderedDict()

    def items(self, root: Root, folder: Path, *, query: str, after: str, limit: int) -> tuple[list[Item], str]:
        """The next items, and the cursor after them, "" at the end; raises InputError for a cursor that is none.

        A folder that itself holds pictures comes first, as a book. query: only those below, at any depth, whose
        title has all its words.
        """
        if os.path.isfile(folder):  # noqa: PTH113 - Path.is_file may raise
            return ([] if after else [self.item(root, folder)]), ""
        entries = self._found(folder, _words(query)) if query.strip() else self._listed(folder)
        start = 0 if not after else bisect_right(entries, _key(_cursor_name(after)), key=_entry_key)
        items: list[Item] = []
        if not after and not query.strip() and (loose := self._loose(root, folder)):
            items.append(loose)
        for entry in entries[start:]:
            if len(items) >= limit:
                return items, _cursor(entries, start)
            start += 1
            if item := self._item(root, folder / entry.name, is_folder=entry.is_folder):
                items.append(item)
        return items, ""

    def item(self, root: Root, path: Path) -> Item:
        """One book or folder, which is there."""
        is_folder = os.path.isdir(path)  # noqa: PTH112
        item = self._loose(root, path) if is_folder else None
        return item or self._item(root, path, is_folder=is_folder) or _group(root, path, _stat(path))

    # ---- one folder ----

    def _listed(self, folder: Path) -> Sequence[_Entry]:
        found = _stat(folder)
        if found is None:
            return ()
        if not _is_settled(found):  # nor kept: what comes now may never show in the folder's time
            return sorted(self._entries(folder), key=_entry_key)
        with self._lock:
            known = self._known.get(folder)
            if known is not None and known[0] == found.st_mtime_ns:
                self._known.move_to_end(folder)
                return known[1]
        entries = sorted(self._entries(folder), key=_entry_key)
        with self._lock:
            self._known[folder] = (found.st_mtime_ns, entries)
            while len(self._known) > _MOST_LISTINGS:
                self._known.popitem(last=False)
        return entries

    def _entries(self, folder: Path, prefix: str = "") -> Iterator[_Entry]:
        for entry in _scan(folder):
            is_folder = _is_folder(entry)
            if (is_folder or _is_archive(entry.name)) and not is_litter(entry.name):
                yield _Entry(f"{prefix}{entry.name}", is_folder)

    def _item(self, root: Root, path: Path, *, is_folder: bool) -> Item | None:
        """None for what is gone, leads out of the shelf, or holds nothing to read."""
        found = _stat(path)
        if found is None or (_is_link(path) and not self._roots.allows(root, path)):
            return None
        if not is_folder:
            return _archive(root, path, found) if stat.S_ISREG(found.st_mode) else None
        peek = _peeked(path)
        if peek.has_books:
            return _group(root, path, found)
        return _folder_book(root, path, found, peek) if peek.pictures else None

    def _loose(self, root: Root, folder: Path) -> Item | None:
        """The pictures that lie directly in a folder, as a book."""
        found, peek = _stat(folder), _peeked(folder)
        return _folder_book(root, folder, found, peek) if found is not None and peek.pictures else None

    # ---- search ----

    def _found(self, folder: Path, words: Sequence[str]) -> Sequence[_Entry]:
        """Everything below whose title has all words, as far as a search goes; links to folders are not entered."""
        found: list[_Entry] = []
        pending, walked, deadline = deque([""]), 0, self._clock() + _SEARCH_S
        while pending and walked < _MOST_WALKED and len(found) < _MOST_FOUND and self._clock() < deadline:
            prefix = pending.popleft()
            for entry in self._entries(folder / prefix, prefix):
                walked += 1
                if _matches(entry, words):
                    found.append(entry)
                if entry.is_folder and not _is_link(folder / entry.name):
                    pending.append(f"{entry.name}/")
        return sorted(found[:_MOST_FOUND], key=_entry_key)


def _folder_book(root: Root, path: Path, found: os.stat_result, peek: _Peek) -> Item:
    pages = peek.pictures if peek.is_whole else None
    return Item(root, path, "book", "folder", _relative(root, path), found.st_mtime, pages=pages)


def _group(root: Root, path: Path, found: os.stat_result | None) -> Item:
    return Item(root, path, "group", "folder", _relative(root, path), found.st_mtime if found else 0.0)


def _archive(root: Root, path: Path, found: os.stat_result) -> Item:
    suffix = path.suffix.lower()
    kind = _CONTAINERS.get(suffix) or suffix.removeprefix(".") or "zip"
    return Item(root, path, "book", kind, _relative(root, path), found.st_mtime, bytes=found.st_size)


def _relative(root: Root, path: Path) -> str:
    relative = path.relative_to(root.path).as_posix()
    return "" if relative == "." else printable(relative)


def _peeked(folder: Path) -> _Peek:
    pictures, has_books, seen = 0, False, 0
    for entry in _scan(folder):
        seen += 1
        if is_litter(entry.name):
            continue
        pictures += is_page_name(entry.name)
        has_books = has_books or _is_archive(entry.name) or _is_folder(entry)
        if seen >= _MOST_PEEKED:
            return _Peek(pictures, has_books, is_whole=False)
    return _Peek(pictures, has_books, is_whole=True)


def _scan(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # not for us to read, or gone: then nothing of it is on the shelf
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_archive(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in BOOK_SUFFIXES


def _is_link(path: Path) -> bool:
    return os.path.islink(path)  # noqa: PTH114 - Path.is_symlink may raise


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return None


def _is_settled(found: os.stat_result) -> bool:
    """Whether a change after the listing would show in the folder's time, which moves in steps."""
    return time.time() - found.st_mtime > 2.0


def _words(query: str) -> Sequence[str]:
    return _folded(query).split()


def _matches(entry: _Entry, words: Sequence[str]) -> bool:
    title = _folded(PurePosixPath(entry.name).name)
    return all(word in title for word in words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", printable(text)).casefold()


def _key(name: str) -> tuple[Any, ...]:
    return natural_key(name)


def _entry_key(entry: _Entry) -> tuple[Any, ...]:
    return _key(entry.name)


def _cursor(entries: Sequence[_Entry], shown: int) -> str:
    """Names the last one shown, so that what comes or goes meanwhile shifts nothing; "-": none of them yet."""
    name = entries[shown - 1].name if shown else ""
    return base64.urlsafe_b64encode(os.fsencode(name)).decode().rstrip("=") or "-"


def _cursor_name(after: str) -> str:
    if after == "-":
        return ""
    try:
        return os.fsdecode(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
    except ValueError as error:
        raise InputError(
            msg("This is no place in the list to go on from."), msg("Send “next” of the answer before as “after”.")
        ) from error
