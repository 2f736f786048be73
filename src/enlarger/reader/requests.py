"""What clients of earlier readers ask for: single pages and ranges, by paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from enlarger.errors import UnknownBookError
from enlarger.messages import msg
from enlarger.reader.facts import INNER, slashes
from enlarger.reader.page_queue import Lane
from enlarger.reader.rules import Treatment
from enlarger.reader.seats import NAMELESS

RequestPriority = Literal["current", "forward", "backward", "background"]


@dataclass(frozen=True)
class Wished:
    """How a page is to be made, as far as the request says."""

    model: str | None = None
    scale: float | None = None
    tile_size: int | None = None
    tile_enabled: bool = True
    noise: int | None = None

    @property
    def treatment(self) -> Treatment | None:
        """What was asked for, or None: a request that names no model gets what the rules and options say."""
        if self.model is None:
            return None
        scale = Treatment.scale if self.scale is None else self.scale
        return Treatment(self.model, scale, self.noise, self.tile_size or 0, self.tile_enabled)


@dataclass(frozen=True)
class Request:
    """One page. image_path: its file, or `<archive> inner=<member>`; "" for the page of that index. seat: who asks.

    page_index counts where the book holds no page of that path; None: then there is none.
    """

    book_path: str
    page_index: int | None
    image_path: str = ""
    image_hash: str = ""
    priority: RequestPriority = "current"
    wished: Wished = Wished()
    seat: str = NAMELESS

    @property
    def lane(self) -> Lane:
        """Where it goes in the order."""
        return Lane[self.priority.upper()]

    def page_of(self, named: int | None) -> int:
        """Which page it is; `named`: the one of its path, where the book holds it. Raises UnknownBookError."""
        if named is not None:
            return named
        if self.page_index is None and self.image_path:
            raise UnknownBookError(
                msg("The book has no page {path}.", path=self.image_path), msg("It may have changed: open it again.")
            )
        return self.page_index or 0


@dataclass(frozen=True)
class PreloadPage:
    """One page of a range."""

    page_index: int
    image_path: str = ""
    image_hash: str = ""


@dataclass(frozen=True)
class Preload:
    """Pages around the one that is read, to be ready before they are turned to."""

    book_path: str
    center_index: int
    pages: Sequence[PreloadPage]
    wished: Wished = Wished()
    seat: str = NAMELESS

    def requests(self) -> list[Request]:
        """The nearest first; those behind the centre come after those ahead."""
        near = sorted(self.pages, key=lambda page: abs(page.page_index - self.center_index))
        return [self._request(page) for page in near]

    def _request(self, page: PreloadPage) -> Request:
        priority: RequestPriority = "forward" if page.page_index >= self.center_index else "backward"
        return Request(
            self.book_path, page.page_index, page.image_path, page.image_hash, priority, self.wished, self.seat
        )


def book_of(book_path: str, image_path: str) -> Path:
    """The book's path; where only the page's is given, the archive it is in or the folder it lies in."""
    if book_path:
        return Path(book_path)
    outer, inner, _ = image_path.partition(INNER)
    return Path(outer) if inner else Path(outer).parent


def page_name(book: Path, image_path: str) -> str:
    """What the book calls the page; "" where the path does not say."""
    outer, inner, member = image_path.partition(INNER)
    if inner:
        return slashes(member)
    path, root = slashes(outer), slashes(str(book)).rstrip("/") + "/"
    return path.removeprefix(root) if path.startswith(root) else ""
