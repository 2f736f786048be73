"""The order of waiting pages against a plain reference, whatever is wanted, turned, taken and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from enlarger.reader.look_ahead import LookAhead, places_around
from enlarger.reader.page_queue import Lane, PageQueue, Place

_BOOKS = st.sampled_from(["a", "b", "c"])
_PAGES = st.integers(0, 9)
_PLACES = st.builds(Place, st.sampled_from(Lane), st.integers(0, 5))


@dataclass
class Wanted:
    lane: Lane
    distance: int
    time: int
    asked: bool


class QueueMachine(RuleBasedStateMachine):
    """The queue beside a dict that is sorted anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.queue = PageQueue(lambda: float(self.now))
        self.plain: dict[tuple[str, int], Wanted] = {}
        self.turned: dict[str, int] = {}

    def in_order(self) -> list[tuple[str, int]]:
        def urgency(item: tuple[tuple[str, int], Wanted]) -> Any:
            (book, _), wanted = item
            return wanted.lane, -self.turned.get(book, -1), wanted.distance, wanted.time

        return [page for page, _ in sorted(self.plain.items(), key=urgency)]

    @rule(book=_BOOKS, page=_PAGES, place=_PLACES)
    def put(self, book: str, page: int, place: Place) -> None:
        self.now += 1
        known = self.plain.get((book, page))
        assert self.queue.put(book, page, place) == (known is None)
        if known is None:
            self.plain[book, page] = Wanted(place.lane, place.distance, self.now, place.lane is Lane.BACKGROUND)
        else:
            known.lane, known.distance = min((known.lane, known.distance), (place.lane, place.distance))
            known.asked |= place.lane is Lane.BACKGROUND

    @rule(book=_BOOKS)
    def turn(self, book: str) -> None:
        self.now += 1
        self.turned[book] = self.now
        self.queue.turn(book)

    @rule(
        book=_BOOKS,
        page=_PAGES,
        forward=st.integers(0, 4),
        backward=st.integers(0, 4),
        way=st.sampled_from([1, -1]),
        other=st.none() | _PAGES,
    )
    def arrange(self, book: str, page: int, forward: int, backward: int, way: Any, other: int | None) -> None:
        self.now += 1
        places = dict(places_around([page], 10, LookAhead(forward, backward), way))
        shown = [page]
        if other is not None:
            places[other] = Place(Lane.CURRENT)
            shown.append(other)
        gone = []
        for (of, number), wanted in list(self.plain.items()):
            if of == book and number in places:
                wanted.lane, wanted.distance = places[number].lane, places[number].distance
            elif of == book and wanted.asked:
                wanted.lane, wanted.distance = Lane.BACKGROUND, min(abs(number - each) for each in shown)
            elif of == book:
                gone.append(number)
                del self.plain[of, number]
        assert sorted(self.queue.arrange(book, shown, places)) == sorted(gone)

    @rule(lanes=st.sets(st.sampled_from(Lane)))
    def take(self, lanes: set[Lane]) -> None:
        expected = next((page for page in self.in_order() if self.plain[page].lane in lanes), None)
        first = self.queue.first(lambda reference: reference.place.lane in lanes)
        assert (first and (first.book, first.page)) == expected
        if first is not None:
            assert first.since == self.plain.pop((first.book, first.page)).time
            self.queue.take(first)

    @rule(book=_BOOKS, page=_PAGES)
    def drop(self, book: str, page: int) -> None:
        assert self.queue.drop(book, page) == (self.plain.pop((book, page), None) is not None)

    @rule(book=_BOOKS)
    def drop_book(self, book: str) -> None:
        self.turned.pop(book, None)
        gone = [page for page in self.plain if page[0] == book]
        assert sorted(self.queue.drop_book(book)) == sorted(page for _, page in gone)
        for page in gone:
            del self.plain[page]

    @invariant()
    def the_same_waits(self) -> None:
        assert len(self.queue) == len(self.plain)
        assert all(page in self.queue for page in self.plain)
        first = self.queue.first()
        assert (first and (first.book, first.page)) == next(iter(self.in_order()), None)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(_PAGES, min_size=1, max_size=2), st.integers(1, 10), st.integers(0, 4), st.integers(0, 4))
def test_pages_around_what_is_shown(shown: set[int], total: int, forward: int, backward: int) -> None:
    for way in (1, -1):
        places = places_around(shown, total, LookAhead(forward, backward), way)  # type: ignore[arg-type]
        for page in range(-5, total + 5):
            ahead = (page - max(shown)) * way if way > 0 else min(shown) - page
            behind = min(shown) - page if way > 0 else page - max(shown)
            expected = None
            if not 0 <= page < total:
                expected = None
            elif page in shown:
                expected = Place(Lane.CURRENT)
            elif 1 <= ahead <= forward:
                expected = Place(Lane.FORWARD, ahead)
            elif 1 <= behind <= backward:
                expected = Place(Lane.BACKWARD, behind)
            assert places.get(page) == expected


def test_three_pages_either_side_unless_set() -> None:
    assert list(places_around([5], 20, LookAhead())) == [6, 7, 8, 4, 3, 2, 5]
    assert set(places_around([0], 20, LookAhead())) == {0, 1, 2, 3}
