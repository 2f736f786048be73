"""Where a worker reads its pages: the book of the page before stays open, since the next one is mostly in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from enlarger.books import Book, open_book, page_identity
from enlarger.enhance import Source
from enlarger.jobs.job import JobSource
from enlarger.settings import Settings


class PageSources:
    """The last book, kept open while it is the same on the disk. Used by one thread at a time."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._book: Book | None = None
        self._stamp: tuple[object, ...] = ()
        self._is_whole = False

    def page(self, source: JobSource, name: str) -> Source:
        """The page called `name`; opening its book raises BookError, as reading it does later."""
        if source.kind == "picture":
            return replace(Source.of_file(source.path), name=name)
        book = self._open(source.path, recursive=source.kind == "archive" or "/" in name)
        return Source(name, partial(book.read, name), partial(page_identity, book, name))

    def close(self) -> None:
        """Let go of the book: somebody may want to delete or replace it."""
        if self._book is not None:
            self._book.close()
        self._book, self._stamp = None, ()

    def _open(self, path: Path, *, recursive: bool) -> Book:
        """The book before, if it will do: a page that lies in a folder directly needs no walk through all below it."""
        stamp = _stamp(path)
        if self._book is None or stamp != self._stamp or (recursive and not self._is_whole):
            self.close()
            self._book = open_book(path, settings=self._settings, recursive=recursive)
            self._stamp, self._is_whole = stamp, recursive
        return self._book


def _stamp(path: Path) -> tuple[object, ...]:
    """What changes when a file is replaced, or a folder gets or loses a member."""
    with suppress(OSError):
        stat = path.stat()
        return path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns
    return (path,)
