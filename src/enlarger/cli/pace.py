"""How fast pages go and how long the rest will take, from pages done and the share of those in hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from enlarger.enhance import PageOutcome


class Pace:
    """One book's pages. Pages found finished cost nothing and say nothing about the speed."""

    def __init__(self, pages: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.pages = pages
        self.done = 0
        self._clock = clock
        self._began_s = clock()
        self._shares: dict[str, float] = {}
        self._computed = 0
        self._megapixels = 0.0

    def advance(self, name: str, share: float) -> None:
        """So much of a page, 0..1, is computed."""
        self._shares[name] = share

    def finish(self, outcome: PageOutcome) -> None:
        """A page is in place, or failed."""
        self._shares.pop(outcome.name, None)
        self.done += 1
        if outcome.status == "computed":
            self._computed += 1
            self._megapixels += outcome.megapixels
        elif self._computed == 0:
            self._began_s = self._clock()  # what was skipped until now is no measure of computing

    @property
    def completed(self) -> float:
        """Pages, those in hand by their share."""
        return self.done + sum(self._shares.values())

    @property
    def megapixels_per_s(self) -> float | None:
        """Source pixels in millions; None until a page was computed."""
        elapsed_s = self._clock() - self._began_s
        return self._megapixels / elapsed_s if self._megapixels and elapsed_s > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds until the last page is done; None until there is something to reckon from."""
        computed = self._computed + sum(self._shares.values())
        elapsed_s = self._clock() - self._began_s
        if computed <= 0 or elapsed_s <= 0:
            return None
        return (self.pages - self.completed) * elapsed_s / computed
