"""Several clients at one book: each has his place, nobody stops another, and the book is closed behind the last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from desk_driving import DeskWork
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.reader import Lane, ReaderChanged
from enlarger.reader.orders import Look
from enlarger.reader.seats import GRACE_S, MOST_SEATS, Seats

_TOTAL, _REACH = 12, 3
_BOOKS, _SEATS = ("a", "b"), ("x", "y", "z")


@pytest.fixture
def work() -> DeskWork:
    return DeskWork()


def test_two_tabs_do_not_stop_each_other(work: DeskWork) -> None:
    book = work.open(seat="tab")
    work.open(seat="phone")
    work.turn(2, seat="tab")
    work.turn(15, seat="phone")
    assert {2, 15} <= set(work.in_hand())  # each one's page at once
    work.desk.leave(book, "phone")
    work.work()
    assert 15 not in work.in_hand()
    assert 2 in work.in_hand()
    assert work.desk.open_books() == [book]
    work.finish_all()
    assert {page for page, status in work.statuses().items() if status == "completed"} == {0, 1, 2, 3, 4, 5}


def test_a_page_that_another_still_sees_goes_on(work: DeskWork) -> None:
    book = work.open()
    work.turn(5, seat="a")
    work.turn(6, seat="b")
    job = work.job(5)
    work.turn(15, seat="a")  # 5 is behind b now, not read any more
    work.desk.leave(book, "a")
    work.work()
    assert work.desk.knows(job.id)
    assert work.state(5).is_preload
    assert not work.state(6).is_preload


def test_a_page_that_was_asked_for_by_itself_outlives_the_turns_of_others(work: DeskWork) -> None:
    work.open(seat="a")
    work.desk.want("book", 15, Lane.CURRENT, seat="a")
    work.turn(2, seat="b")
    assert 15 in work.in_hand()
    work.desk.leave("book", "b")
    work.work()
    assert work.in_hand() == [15]
    work.turn(2, seat="a")
    assert 15 not in work.in_hand()


def test_what_was_cancelled_is_not_begun_again_because_another_leaves(work: DeskWork) -> None:
    work.open(seat="a")
    work.turn(2, seat="a")
    work.turn(15, seat="b")
    work.desk.cancel("book", [2])
    work.desk.leave("book", "b")
    assert work.work().state(2).status == "cancelled"


def test_a_client_hears_only_of_the_pages_that_it_wants(work: DeskWork) -> None:
    work.open()
    work.turn(2, seat="a")
    assert [state.page for state in work.turn(15, seat="b")] == [15, 16, 17, 18, 14, 13, 12]


def test_when_the_last_one_left_the_work_stops_at_once_and_the_results_stay_for_the_grace(work: DeskWork) -> None:
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    work.finish(5)
    work.desk.leave(book, "tab")
    work.work()
    assert work.in_hand() == []
    assert work.desk.open_books() == []
    work.now += GRACE_S - 1
    work.work()
    assert work.state(5).status == "completed"
    assert work.open(seat="again") == book  # a page that was loaded again
    work.now += 10 * GRACE_S
    work.work()
    assert work.state(5).status == "completed"
    work.desk.leave(book, "again")
    work.now += GRACE_S
    work.work()
    assert work.desk.states(book) == []


def test_the_feeder_is_told_when_a_grace_is_over(work: DeskWork) -> None:
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    assert work.desk.grace_left_s() is None
    work.desk.came("tab")
    work.desk.went("tab")
    work.now += 10
    assert work.desk.grace_left_s() == GRACE_S - 10
    work.now += GRACE_S
    assert work.desk.grace_left_s() == 0.0
    work.work()
    assert work.desk.grace_left_s() is None
    assert work.desk.states(book) == []  # it was left when its socket closed, one grace ago


def test_a_socket_that_comes_back_in_time_has_lost_nothing(work: DeskWork) -> None:
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    work.desk.came("tab")
    work.desk.came("tab")  # the new one stands before the old one is known to be dead
    work.desk.went("tab")
    work.now += 2 * GRACE_S
    work.work()
    work.desk.went("tab")
    work.now += GRACE_S - 1
    work.work()
    assert 5 in work.in_hand()
    work.desk.came("tab")
    work.now += 2 * GRACE_S
    work.work()
    assert 5 in work.in_hand()
    assert work.desk.open_books() == [book]


def test_who_has_no_socket_any_more_but_turns_pages_stays(work: DeskWork) -> None:
    work.open(seat="tab")
    work.desk.came("tab")
    work.desk.went("tab")
    for page in range(5):
        work.now += GRACE_S - 1
        work.turn(page, seat="tab")
        assert page in work.in_hand()


def test_a_call_that_the_closing_of_its_socket_overtook_takes_a_seat_for_the_grace(work: DeskWork) -> None:
    work.desk.came("tab")
    work.desk.went("tab")
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    assert work.desk.grace_left_s() == GRACE_S
    work.now += GRACE_S
    work.work()
    assert not work.desk.sits(book, "tab")
    assert work.in_hand() == []


def test_a_call_that_the_leaving_of_its_book_overtook_takes_a_seat_for_the_grace(work: DeskWork) -> None:
    work.desk.leave("book", "tab")
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    other = work.open(book_id="other", seat="tab")  # which it did not leave
    work.now += GRACE_S
    work.work()
    assert (work.desk.sits(book, "tab"), work.desk.sits(other, "tab")) == (False, True)


def test_who_comes_back_after_it_went_keeps_its_seat(work: DeskWork) -> None:
    work.desk.came("tab")
    work.desk.went("tab")
    book = work.open(seat="tab")
    work.desk.came("tab")
    work.turn(5, seat="tab")
    work.now += 2 * GRACE_S
    work.work()
    assert work.desk.sits(book, "tab")


def test_clients_that_say_nothing_are_one_and_are_not_left_for_silence(work: DeskWork) -> None:
    book = work.open()
    work.turn(5)
    work.now += 1000 * GRACE_S
    work.work()
    assert 5 in work.in_hand()
    work.desk.leave(book, "somebody else")
    assert work.desk.open_books() == [book]
    work.desk.leave(book)
    assert work.desk.open_books() == []


def test_the_last_to_leave_is_told_and_background_work_ends_too(work: DeskWork) -> None:
    book = work.open(seat="tab")
    work.turn(5, seat="tab")
    while work.desk.next_event():
        pass
    work.desk.leave(book, "tab")
    events = []
    while event := work.desk.next_event():
        events.append(event)
    assert ReaderChanged() in events
    work.desk.leave(book, "tab")  # once more: nothing
    assert work.desk.next_event() is None


def test_a_book_whose_pages_are_others_now_keeps_its_readers(work: DeskWork) -> None:
    book = work.open(20, seat="a")
    work.turn(18, seat="a")
    work.turn(2, seat="b")
    work.finish_all()
    work.open(10, seat="b")
    assert work.desk.states(book) != []
    work.work()
    assert 2 in work.in_hand()  # b is where he was
    assert max(work.in_hand()) < 10
    assert work.desk.sits(book, "a")


def test_seats_are_bounded() -> None:
    seats = Seats()
    for number in range(MOST_SEATS + 5):
        seats.take(str(number), 0.0)
    assert len(seats) == MOST_SEATS
    assert "0" not in seats
    assert str(MOST_SEATS + 4) in seats


# ---- the order, against a plain reference ----


@dataclass
class PlainSeat:
    shown: list[int] = field(default_factory=list)
    way: int = 1
    away: float | None = None


@dataclass
class Plain:
    """Everything anew after each thing that happens."""

    now: float = 0.0
    seats: dict[tuple[str, str], PlainSeat] = field(default_factory=dict)
    sockets: Counter[str] = field(default_factory=Counter)
    turned: dict[str, float] = field(default_factory=dict)
    since: dict[tuple[str, int], float] = field(default_factory=dict)
    empty: dict[str, float] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def sit(self, book: str, seat: str) -> PlainSeat:
        self.empty.pop(book, None)
        found = self.seats.setdefault((book, seat), PlainSeat())
        if found.away is not None or (not self.sockets[seat] and {(book, seat), ("", seat)} & self.gone):
            found.away = self.now
        self.gone.discard((book, seat))
        return found

    def turn(self, book: str, seat: str, page: int) -> None:
        found = self.sit(book, seat)
        if found.shown and found.shown != [page]:
            found.way = 1 if page > found.shown[0] else -1
        found.shown = [page]
        self.turned[book] = self.now

    def goes(self, book: str, seat: str) -> None:
        if not self.sockets[seat]:
            self.gone.add((book, seat))
        self.leave(book, seat, self.now)

    def leave(self, book: str, seat: str, since: float) -> None:
        if self.seats.pop((book, seat), None) and not any(of == book for of, _ in self.seats):
            self.empty[book] = since

    def went(self, seat: str) -> None:
        self.sockets[seat] -= 1
        if self.sockets[seat] == 0:
            self.gone.add(("", seat))
            for (_, name), found in self.seats.items():
                if name == seat:
                    found.away = self.now

    def settle(self) -> None:
        """Seats whose grace is over are free; what is wanted since now is noted."""
        for at, seat in list(self.seats.items()):
            if seat.away is not None and self.now >= seat.away + GRACE_S:
                self.leave(*at, seat.away)
        for book, since in list(self.empty.items()):
            if self.now >= since + GRACE_S:
                self.turned.pop(book, None)
        wanted = self.wanted()
        self.since = {page: self.since.get(page, self.now) for page in wanted}

    def wanted(self) -> dict[tuple[str, int], tuple[int, int]]:
        best: dict[tuple[str, int], tuple[int, int]] = {}
        for (book, _), seat in self.seats.items():
            for shown in seat.shown:
                for page in range(_TOTAL):
                    steps = (page - shown) * seat.way
                    place = (0, 0) if steps == 0 else (1, steps) if steps > 0 else (2, -steps)
                    if place[1] <= _REACH:
                        best[book, page] = min(place, best.get((book, page), place))
        return best

    def urgency(self, page: tuple[str, int]) -> tuple[int, float, int, float]:
        lane, distance = self.wanted()[page]
        return lane, -self.turned.get(page[0], -1), distance, self.since[page]


_DONE = st.one_of(
    st.tuples(st.just("turn"), st.sampled_from(_BOOKS), st.sampled_from(_SEATS), st.integers(0, _TOTAL - 1)),
    st.tuples(st.just("leave"), st.sampled_from(_BOOKS), st.sampled_from(_SEATS), st.just(0)),
    st.tuples(st.just("came"), st.just(""), st.sampled_from(_SEATS), st.just(0)),
    st.tuples(st.just("went"), st.just(""), st.sampled_from(_SEATS), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.just(""), st.sampled_from([1, 20, 31])),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_DONE, max_size=25))
def test_what_waits_is_in_the_order_that_all_seats_together_give(done: list[tuple[str, str, str, int]]) -> None:
    work, plain = DeskWork(), Plain()
    for kind, book, seat, number in done:
        work.now += 1
        if kind == "wait":
            work.now += number
        plain.now = work.now
        work.desk.end_graces()
        plain.settle()
        if kind == "turn":
            work.open(_TOTAL, book, seat=seat)
            work.desk.turn(book, number, seat=seat)
            plain.turn(book, seat, number)
        elif kind == "leave":
            work.desk.leave(book, seat)
            plain.goes(book, seat)
        elif kind == "came":
            work.desk.came(seat)
            plain.sockets[seat] += 1
            plain.gone.discard(("", seat))
            for (_, name), found in plain.seats.items():
                found.away = None if name == seat else found.away
        elif kind == "went" and plain.sockets[seat] > 0:
            work.desk.went(seat)
            plain.went(seat)
        plain.settle()
    taken = []
    while (order := work.desk.next_order()) is not None:
        assert isinstance(order, Look)
        taken.append((order.book_id, order.page))
    assert sorted(taken) == sorted(plain.since)
    assert [plain.urgency(page) for page in taken] == sorted(plain.urgency(page) for page in taken)
