"""Listens to a run for the person: moves the bar, and remembers what an interrupted book had done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from enlarger.cli.pace import Pace
from enlarger.cli.progress import PagesBar
from enlarger.enhance import Errand, Listener, PageOutcome, Report
from enlarger.errors import EnlargerError


class Watch(Listener):
    """What is known of the book in hand; `bar` is None when nobody watches."""

    def __init__(self, bar: PagesBar | None) -> None:
        self.title = ""
        self.outcomes: list[PageOutcome] = []
        self._in_hand = ""
        self._bar = bar
        self._pace = Pace(0)
        self._began_s = time.perf_counter()

    def begins(self, title: str, pages: int) -> None:
        """Another book is in hand."""
        self.title, self.outcomes, self._in_hand = title, [], ""
        self._pace = Pace(pages)
        self._began_s = time.perf_counter()
        if self._bar is not None:
            self._bar.begin(title, pages)

    def page_progress(self, name: str, share: float) -> None:
        """So much of a page, 0..1, is computed."""
        self._pace.advance(name, share)
        self._in_hand = name
        self._move()

    def page_done(self, outcome: PageOutcome) -> None:
        """A page is in place, or failed."""
        self.outcomes.append(outcome)
        self._pace.finish(outcome)
        self._move()

    def settle(self) -> None:
        """The book in hand has its report."""
        self.title, self.outcomes = "", []

    def unfinished(self, errands: Sequence[Errand], error: EnlargerError) -> list[Report]:
        """The report of the book that `error` interrupted, none when it fell between two books."""
        if not self.title:
            return []
        errand = next((each for each in errands if str(each.source) == self.title), None)
        if errand is not None and errand.packs:  # its pages wait in the cache for the archive that was not written
            self.outcomes = [replace(outcome, file=None) for outcome in self.outcomes]
        target = errand.target if errand is not None else Path(self.title)  # loose pictures go by their folder's name
        return [Report(self.title, target, tuple(self.outcomes), time.perf_counter() - self._began_s, error)]

    def _move(self) -> None:
        if self._bar is not None:
            self._bar.update(self._pace, self._in_hand)
