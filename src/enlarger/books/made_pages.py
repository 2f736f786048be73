"""What can be said of a page before it is read, where its book knows: made pages, and files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.books.book import Book
from enlarger.books.folder_book import FolderBook
from enlarger.books.pdf_book import PdfBook

if TYPE_CHECKING:
    from enlarger.pictures import Header


def page_identity(book: Book, name: str) -> str | None:
    """A digest that stands for a page whose bytes are made, not stored: of the file, the page, the resolution.

    None where the page's own bytes speak for themselves, as they mostly do. Raises BookError.
    """
    return book.identity(name) if isinstance(book, PdfBook) else None


def stated_header(book: Book, name: str) -> Header | None:
    """What the header of such a page will say; None where it is read from the page's own bytes. Raises BookError."""
    return book.header(name) if isinstance(book, PdfBook) else None


def own_file(book: Book, name: str) -> Path | None:
    """Where a page lies that is a file of its own, in a folder; None in archives and documents. Raises BookError."""
    return book.file(name) if isinstance(book, FolderBook) else None
