"""What reading asks of the shelf: where a book lies, and what its pages are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from enlarger.reader.facts import PageFacts
from enlarger.reader.shelf_index import unknown_page


class BookPage(Protocol):
    """One page. Width and height are as stored, in pixels, 0 or None where the shelf could not tell."""

    @property
    def index(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int | None: ...

    @property
    def height(self) -> int | None: ...

    @property
    def format(self) -> str | None: ...


class Bookshelf(Protocol):
    """Books by their ids. Every call may read the disk, and raises UnknownBookError or BookError."""

    def locate(self, book_id: str) -> Path: ...

    def id_of(self, path: Path) -> str: ...

    def pages(self, book_id: str) -> Sequence[BookPage]: ...

    def title(self, book_id: str) -> str: ...


def facts_of(path: Path, pages: Sequence[BookPage], page: int) -> PageFacts:
    """What rules are asked about the page of that index; raises UnknownBookError where there is none."""
    if not 0 <= page < len(pages):
        raise unknown_page(page, len(pages))
    found = pages[page]
    return PageFacts.of_page(
        path, found.name, width=found.width or 0, height=found.height or 0, file_type=found.format or ""
    )
