"""What became of pages and errands, and who listens while it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from enlarger.errors import EnlargerError

Status = Literal["computed", "cached", "kept", "failed"]


@dataclass(frozen=True)
class PageOutcome:
    """A page at the end of its road.

    status: "computed" now, "cached" (from the cache), "kept" (already in place) or "failed" (`error` says why).
    file: where it lies, None when failed; for archives the archive. facts: as stored beside the render.
    """

    name: str
    status: Status
    file: Path | None = None
    error: EnlargerError | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def megapixels(self) -> float:
        """Pixels of the source in millions, 0 when unknown."""
        width, height = self.facts.get("source_size", (0, 0))
        return float(width * height / 1e6)


@dataclass(frozen=True)
class Report:
    """An errand, or a group of loose pictures, at its end. `error` is set when nothing of it could be read."""

    title: str
    target: Path
    pages: tuple[PageOutcome, ...]
    seconds: float
    error: EnlargerError | None = None

    @property
    def failures(self) -> tuple[PageOutcome, ...]:
        """The pages that failed."""
        return tuple(page for page in self.pages if page.status == "failed")


class Listener:
    """Told what happens, page by page; every method may be overridden, none must."""

    def begins(self, title: str, pages: int) -> None:
        """An errand of so many pages begins."""

    def page_progress(self, name: str, share: float) -> None:
        """So much of a page is computed, 0..1."""

    def page_done(self, outcome: PageOutcome) -> None:
        """A page is in place, or failed."""
