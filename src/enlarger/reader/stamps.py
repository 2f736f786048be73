"""What a book and its pages look like from outside, so that a changed file is seen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from enlarger.books import open_book, own_file
from enlarger.errors import BookError

Stamp: TypeAlias = tuple[int, int, int]


def stamp_of(path: Path) -> Stamp | None:
    """What changes when a file is replaced, or a folder gets or loses a member; None where nothing is."""
    with suppress(OSError):
        stat = path.stat()
        return stat.st_ino, 0 if path.is_dir() else stat.st_size, stat.st_mtime_ns
    return None


def page_stamp(book: Path, name: str) -> Stamp | None:
    """Of a page's own file, in a folder; an archive's pages change with it."""
    if not book.is_dir():
        return stamp_of(book)
    found = stamp_of(book / name)
    if found is None:  # the file may be called otherwise than the page
        with suppress(BookError):
            file = own_file(open_book(book, recursive=False), name)
            return None if file is None else stamp_of(file)
    return found
