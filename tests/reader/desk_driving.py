"""A desk with a clock that stands still, and a feeder that does what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reading_room import TablePage

from enlarger.jobs import Failure, Submission
from enlarger.messages import msg
from enlarger.models import load_catalog
from enlarger.reader import PageChanged, PageFacts, PageState, ReaderOptions, RuleSet
from enlarger.reader.desk import Desk
from enlarger.reader.orders import Finished, Look, Order, Release
from enlarger.reader.seats import GRACE_S

SIZE = (100, 150)


def pages(count: int) -> list[TablePage]:
    return [TablePage(n, f"{n:03}.png", *SIZE, "png") for n in range(count)]


def finished(sign: str = "k", /, **changes: Any) -> Finished:
    return replace(Finished(sign * 64, Path("render.webp"), 200, 300, 1000, 0.5, True, "sha"), **changes)


def failure() -> Failure:
    return Failure("bad_picture", msg("Stopped on request."))


@dataclass
class DeskWork:
    """The desk; jobs that were handed in by page; what was released."""

    now: float = 0.0
    submitted: list[Submission] = field(default_factory=list)
    others: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = Desk(ReaderOptions(), RuleSet(), load_catalog(), workers=1, clock=lambda: self.now)

    def open(self, count: int = 20, book_id: str = "book", *, seat: str = "") -> str:
        self.desk.admit(book_id, Path("/m") / book_id, pages(count), is_folder=False, seat=seat)
        return book_id

    def work(self) -> DeskWork:
        """Carry out everything."""
        self.desk.end_graces()
        while (order := self.desk.next_order()) is not None:
            if isinstance(order, Look):
                self.judge(order)
            else:
                self.others.append(order)
        return self

    def judge(self, look: Look) -> None:
        facts = PageFacts(look.width, look.height, look.file_type, str(look.book), f"{look.book} inner={look.name}")
        submission = self.desk.judged(look, facts, None)
        if submission is not None:
            self.submitted.append(submission)

    def look(self) -> Look:
        order = self.desk.next_order()
        assert isinstance(order, Look), order
        return order

    def turn(self, page: int, *also: int, book_id: str = "book", seat: str = "") -> list[PageState]:
        states = self.desk.turn(book_id, page, also, seat)
        self.work()
        return states

    def leave_for_good(self, book_id: str = "book") -> None:
        """The grace is over too."""
        self.desk.leave(book_id)
        self.now += GRACE_S
        self.work()

    def state(self, page: int, book_id: str = "book") -> PageState:
        return {state.page: state for state in self.desk.states(book_id)}.get(page, PageState(book_id, page))

    def statuses(self, book_id: str = "book") -> dict[int, str]:
        return {state.page: state.status.value for state in self.desk.states(book_id)}

    def job(self, page: int) -> Submission:
        """The newest one for the page."""
        return next(job for job in reversed(self.submitted) if job.only == (f"{page:03}.png",))

    def finish(self, page: int, **changes: Any) -> None:
        self.desk.finished(self.job(page).id, finished(f"{page % 10}", **changes))
        self.work()

    def finish_all(self) -> None:
        """Every job that is handed in, until none is."""
        while left := [job for job in self.submitted if self.desk.knows(job.id)]:
            self.finish(int(left[0].only[0][:3]))

    def in_hand(self) -> list[int]:
        """Pages of jobs that nobody released, as they were handed in."""
        released = {order.job_id for order in self.others if isinstance(order, Release)}
        return [int(job.only[0][:3]) for job in self.submitted if job.id not in released and self.desk.knows(job.id)]

    def told(self) -> list[tuple[int, str]]:
        """Pages and statuses of all events so far."""
        heard = []
        while (event := self.desk.next_event()) is not None:
            if isinstance(event, PageChanged):
                heard.append((event.state.page, event.state.status.value))
        return heard
