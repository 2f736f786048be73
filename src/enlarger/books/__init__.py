"""Books: where pages come from, and archives going out."""

from enlarger.books.book import Book, BookProblem, Limits, Page
from enlarger.books.comic_info import COMIC_INFO, PageFacts, refresh_comic_info
from enlarger.books.made_pages import own_file, page_identity, stated_header
from enlarger.books.members import PICTURE_SUFFIXES, escape_error, is_litter, is_page_name, safe_name
from enlarger.books.natural import natural_key
from enlarger.books.opening import BOOK_SUFFIXES, looks_like_book, open_book
from enlarger.books.output_names import OutputNames, output_names
from enlarger.books.portable import is_elsewhere, is_opened_as_named, portable_name, short_name
from enlarger.books.spool import drop_unpacked
from enlarger.books.unpackers import is_later_part
from enlarger.books.write_cbz import Stream, Written, write_cbz

__all__ = [
    "BOOK_SUFFIXES",
    "COMIC_INFO",
    "PICTURE_SUFFIXES",
    "Book",
    "BookProblem",
    "Limits",
    "OutputNames",
    "Page",
    "PageFacts",
    "Stream",
    "Written",
    "drop_unpacked",
    "escape_error",
    "is_elsewhere",
    "is_later_part",
    "is_litter",
    "is_opened_as_named",
    "is_page_name",
    "looks_like_book",
    "natural_key",
    "open_book",
    "output_names",
    "own_file",
    "page_identity",
    "portable_name",
    "refresh_comic_info",
    "safe_name",
    "short_name",
    "stated_header",
    "write_cbz",
]
