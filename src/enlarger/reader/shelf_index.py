"""What a book holds: its pages with their sizes, read from their headers once and remembered until the book changes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger import __version__
from enlarger.books import Book, open_book, own_file, stated_header
from enlarger.errors import BookError, EnlargerError, PictureError, UnknownBookError
from enlarger.messages import Message, msg
from enlarger.pictures import Header, read_header
from enlarger.reader.reader_store import ReaderStore, StoredIndex
from enlarger.reader.shelf_locks import PathLocks
from enlarger.reader.shelf_pool import OpenBooks, stamp_of

_MOST_IN_MEMORY = 16


@dataclass(frozen=True)
class ShelfPage:
    """A page as its file says. width, height: pixels as stored, 0 where they cannot be read; bytes: None if unknown.

    version: of a page that is a file of its own, what changes when the file does.
    """

    index: int
    name: str
    width: int
    height: int
    format: str
    bytes: int | None
    version: str = ""


@dataclass(frozen=True)
class Problem:
    """A page or another member that cannot be used, and why."""

    name: str
    message: Message
    remedy: Message | None

    @classmethod
    def of(cls, name: str, error: EnlargerError) -> Problem:
        """The error as a problem of this member."""
        return cls(name, error.message, error.remedy)


@dataclass(frozen=True)
class BookIndex:
    """All pages in reading order, and what is wrong with some; `stamp` changes when the book does."""

    path: Path
    stamp: str
    pages: tuple[ShelfPage, ...]
    problems: tuple[Problem, ...]

    def page(self, index: int) -> ShelfPage:
        """The page of this number, from 0; raises UnknownBookError."""
        if not 0 <= index < len(self.pages):
            raise unknown_page(index, len(self.pages))
        return self.pages[index]


def unknown_page(index: int, total: int) -> UnknownBookError:
    """The error for a page that the book does not have."""
    return UnknownBookError(
        msg("The book has {total} pages: there is no page {page}.", total=total, page=index + 1),
        msg("It may have changed: open it again."),
    )


class Indexes:
    """Looks into books, once. Thread-safe."""

    def __init__(self, store: ReaderStore, books: OpenBooks) -> None:
        self._store = store
        self._books = books
        self._lock = threading.Lock()
        self._recent: OrderedDict[Path, BookIndex] = OrderedDict()
        self._looking = PathLocks()

    def of(self, path: Path) -> BookIndex:
        """What the book at `path` holds now; raises BookError."""
        with self._looking.of(path):  # two who ask at once do not both look
            return self._folder(path) if path.is_dir() else self._archive(path)

    def counts(self, stamps: Mapping[Path, str]) -> Mapping[Path, int]:
        """Of those archives (path -> `stamp_of`) that were looked into as they are now, how many pages they have."""
        known = self._store.stamps(stamps.keys())
        return {path: pages for path, (stamp, pages) in known.items() if stamp == _stamp(stamps[path])}

    def _archive(self, path: Path) -> BookIndex:
        stamp = _stamp(stamp_of(path))
        known = self._remembered(path)
        if known is not None and known.stamp == stamp:
            return known
        with self._books.book(path) as book:
            return self._remember(_looked_into(book, stamp, {}, ()))

    def _folder(self, path: Path) -> BookIndex:
        """A folder's own time says nothing of its files: all are asked for theirs, and only new ones are opened."""
        with open_book(path, recursive=False) as book:
            versions = {page.name: _version(book, page.name) for page in book.pages}
            stamp = _stamp(_digest(versions))
            known = self._remembered(path)
            if known is not None and known.stamp == stamp:
                return known
            return self._remember(_looked_into(book, stamp, versions, () if known is None else known.pages))

    # ---- remembering ----

    def _remembered(self, path: Path) -> BookIndex | None:
        with self._lock:
            if path in self._recent:
                self._recent.move_to_end(path)
                return self._recent[path]
        stored = self._store.index(path)
        return None if stored is None else _from_stored(path, stored)

    def _remember(self, index: BookIndex) -> BookIndex:
        self._store.put_index(index.path, _to_stored(index))
        with self._lock:
            self._recent[index.path] = index
            self._recent.move_to_end(index.path)
            while len(self._recent) > _MOST_IN_MEMORY:
                self._recent.popitem(last=False)
        return index


def _looked_into(book: Book, stamp: str, versions: Mapping[str, str], before: Collection[ShelfPage]) -> BookIndex:
    known = {(page.name, page.version): page for page in before if page.version and page.width}
    pages: list[ShelfPage] = []
    problems = [Problem.of(problem.name, problem.error) for problem in book.problems]
    for index, each in enumerate(book.pages):
        version = versions.get(each.name, "")
        old = known.get((each.name, version))
        header, size_bytes = (Header(old.format, old.width, old.height), old.bytes) if old else (None, None)
        if header is None:
            header, size_bytes, problem = _header_of(book, each.name)
            problems += [problem] if problem else []
        pages.append(ShelfPage(index, each.name, header.width, header.height, header.format, size_bytes, version))
    return BookIndex(book.path, stamp, tuple(pages), tuple(problems))


def _header_of(book: Book, name: str) -> tuple[Header, int | None, Problem | None]:
    """What the page's first bytes say, how many it has in all where the book knows, and what is wrong."""
    size_bytes: int | None = None
    try:
        size_bytes = book.size(name)
        # a page that would have to be drawn first is known without
        return stated_header(book, name) or _read_header(book, name), size_bytes, None
    except (BookError, PictureError) as error:
        return Header("", 0, 0), size_bytes, Problem.of(name, error)


def _read_header(book: Book, name: str) -> Header:
    chunks = book.stream(name)
    data = next(chunks, b"")
    try:
        return read_header(data, name=name)
    except PictureError:
        rest = b"".join(chunks)  # a header longer than that: a large profile stands before it
        return read_header(data + rest, name=name)


def _version(book: Book, name: str) -> str:
    file = own_file(book, name)
    try:
        return "" if file is None else stamp_of(file)
    except UnknownBookError:  # gone since it was listed; reading it will say so
        return ""


def _digest(versions: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(versions.items())).encode()).hexdigest()


def _stamp(found: str) -> str:
    return f"{__version__}:{found}"  # a newer version may read formats that this one cannot


# ---- as JSON ----


def _to_stored(index: BookIndex) -> StoredIndex:
    pages = [[p.name, p.width, p.height, p.format, p.bytes, p.version] for p in index.pages]
    problems = [[p.name, p.message.as_json(), p.remedy and p.remedy.as_json()] for p in index.problems]
    return StoredIndex(index.stamp, len(pages), json.dumps([pages, problems], ensure_ascii=True))


def _from_stored(path: Path, stored: StoredIndex) -> BookIndex:
    pages, problems = json.loads(stored.content)
    return BookIndex(
        path, stored.stamp, _pages(pages), tuple(Problem(n, Message.from_json(m), _remedy(r)) for n, m, r in problems)
    )


def _pages(rows: Iterable[list[Any]]) -> tuple[ShelfPage, ...]:
    return tuple(ShelfPage(index, *row) for index, row in enumerate(rows))


def _remedy(value: Mapping[str, Any] | None) -> Message | None:
    return None if value is None else Message.from_json(value)
