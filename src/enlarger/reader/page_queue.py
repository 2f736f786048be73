"""Which page is next: references only, the page being read first, then those ahead, behind, and in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import count


class Lane(IntEnum):
    """Why a page is wanted, the most urgent first."""

    CURRENT = 0
    FORWARD = 1
    BACKWARD = 2
    BACKGROUND = 3


@dataclass(frozen=True, order=True)
class Place:
    """A page's place in the order; distance: pages between it and the nearest one that is shown."""

    lane: Lane
    distance: int = 0


@dataclass(frozen=True)
class Reference:
    """A page that waits. since: when it was first wanted (the clock's seconds).

    asked: it was asked for in the background, so that a turn does not drop it.
    """

    book: str
    page: int
    place: Place
    since: float
    arrival: int
    asked: bool = False


def distance_to(page: int, shown: Collection[int]) -> int:
    """Pages between it and the nearest one that is shown; 0 where none is."""
    return min((abs(page - each) for each in shown), default=0)


class PageQueue:
    """References in order: lane, then the book turned last, then distance, then time. Not thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[tuple[str, int], Reference] = {}
        self._turned: dict[str, int] = {}
        self._turns = count(1)
        self._arrivals = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, page: tuple[str, int]) -> bool:
        return page in self._waiting

    def put(self, book: str, page: int, place: Place) -> bool:
        """Want a page; False when it waits already: then it keeps its time, and the better of its two places."""
        asked = place.lane is Lane.BACKGROUND
        known = self._waiting.get((book, page))
        if known is None:
            self._waiting[book, page] = Reference(book, page, place, self._clock(), next(self._arrivals), asked)
            return True
        self._waiting[book, page] = replace(known, place=min(known.place, place), asked=known.asked or asked)
        return False

    def turn(self, book: str) -> None:
        """From now on the book is the one turned last."""
        self._turned[book] = next(self._turns)

    def arrange(self, book: str, shown: Collection[int], places: Mapping[int, Place]) -> list[int]:
        """These pages of the book are seen: what waits of it gets its new place; what has none is dropped, and named.

        What was asked for in the background goes back there.
        """
        dropped = []
        for reference in self._of(book):
            place = places.get(reference.page)
            if place is None and not reference.asked:
                dropped.append(reference.page)
                del self._waiting[book, reference.page]
            else:
                behind = Place(Lane.BACKGROUND, distance_to(reference.page, shown))
                self._waiting[book, reference.page] = replace(reference, place=place or behind)
        return dropped

    def first(self, allowed: Callable[[Reference], bool] = lambda _reference: True) -> Reference | None:
        """The most urgent one of those that are allowed; it goes on waiting."""
        return min(filter(allowed, self._waiting.values()), key=self._urgency, default=None)

    def take(self, reference: Reference) -> None:
        """It does not wait any longer."""
        del self._waiting[reference.book, reference.page]

    def drop(self, book: str, page: int) -> bool:
        """Let a page go; whether it waited."""
        return self._waiting.pop((book, page), None) is not None

    def drop_book(self, book: str) -> list[int]:
        """Let all pages of a book go, and forget when it was turned."""
        self._turned.pop(book, None)
        pages = [reference.page for reference in self._of(book)]
        for page in pages:
            del self._waiting[book, page]
        return pages

    def _of(self, book: str) -> list[Reference]:
        return [reference for reference in self._waiting.values() if reference.book == book]

    def _urgency(self, reference: Reference) -> tuple[int, int, int, float, int]:
        turned = self._turned.get(reference.book, 0)
        place = reference.place
        return place.lane, -turned, place.distance, reference.since, reference.arrival
