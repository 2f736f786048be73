"""What stands for a page in the keys of its renders."""

from __future__ import annotations

from enlarger.books.book import Book
from enlarger.books.pdf_book import PdfBook


def page_identity(book: Book, name: str) -> str | None:
    """A digest that stands for a page whose bytes are made, not stored: of the file, the page, the resolution.

    None where the page's own bytes speak for themselves, as they mostly do. Raises BookError.
    """
    return book.identity(name) if isinstance(book, PdfBook) else None
