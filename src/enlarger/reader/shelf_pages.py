"""One page as its book has it: a file of its own, or bytes out of an archive, and what tells it from any other."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from enlarger.books import own_file
from enlarger.reader.shelf_index import unknown_page
from enlarger.reader.shelf_pool import OpenBooks, stamp_of

UNKNOWN_TYPE = "application/octet-stream"
_MAGICS = (  # offset, magic number, media type: also of what cannot be enlarged
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\0\0\0\x0cJXL ", "image/jxl"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (4, b"ftypavi", "image/avif"),
    (4, b"ftyphe", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
)
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/avif", UNKNOWN_TYPE})


@dataclass(frozen=True)
class PageRef:
    """Which page it is. `file`: where it lies if it is a file of its own; tag: another one when its bytes may be.

    is_cover: it is wanted to show what the book looks like, by somebody who may not read it.
    """

    book: Path
    name: str
    tag: str
    file: Path | None = None
    is_cover: bool = False


def page_ref(books: OpenBooks, path: Path, index: int, *, is_cover: bool = False) -> PageRef:
    """The page of this number, from 0, of the book at `path`; raises UnknownBookError, BookError."""
    with books.book(path) as book:
        if not 0 <= index < len(book.pages):
            raise unknown_page(index, len(book.pages))
        name = book.pages[index].name
        file = own_file(book, name)
    return PageRef(path, name, _tag(path, name, file), file, is_cover)


def read_page(books: OpenBooks, page: PageRef) -> bytes:
    """All its bytes; raises UnknownBookError, BookError."""
    with books.book(page.book) as book:
        return book.read(page.name)


def media_type_of(data: bytes) -> str:
    """What the bytes are, by what they begin with; what they are called does not matter."""
    return next((kind for at, magic, kind in _MAGICS if data.startswith(magic, at)), UNKNOWN_TYPE)


def is_shown_by_browsers(media_type: str) -> bool:
    """Whether every browser shows it. What nobody knows is given as it is: converting would fail too."""
    return media_type in _SHOWN


def _tag(path: Path, name: str, file: Path | None) -> str:
    version = stamp_of(path if file is None else file)
    return hashlib.sha256(os.fsencode(f"{path}\0{version}\0{name}")).hexdigest()[:32]
