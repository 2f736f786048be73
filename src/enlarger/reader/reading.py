"""One open book: where its reader is, which pages are wanted, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enlarger.enhance import Recipe
from enlarger.jobs import JobSource, Priority
from enlarger.reader.bookshelf import BookPage
from enlarger.reader.facts import PageFacts
from enlarger.reader.law import Decision
from enlarger.reader.page_queue import Lane, Place
from enlarger.reader.page_state import PageState, PageStatus
from enlarger.reader.rules import Treatment
from enlarger.reader.seats import Seats
from enlarger.reader.shelf_index import unknown_page
from enlarger.reader.stamps import Stamp

_PRIORITIES = {Lane.CURRENT: Priority.READING, Lane.BACKGROUND: Priority.INTERACTIVE}


@dataclass
class PageRecord:
    """A page that was wanted at least once. ticket: grows whenever what is being done for it is called off.

    asked: the treatment that a request named; in_background: a request wants it wherever the reader is.
    facts, recipe, stamp: as they were when it was looked at. job_id: its job, "" while there is none.
    """

    page: BookPage
    state: PageState
    ticket: int = 0
    place: Place | None = None
    asked: Treatment | None = None
    in_background: bool = False
    facts: PageFacts | None = None
    recipe: Recipe | None = None
    stamp: Stamp | None = None
    job_id: str = ""
    priority: Priority | None = None
    bytes: int = 0

    @property
    def is_in_hand(self) -> bool:
        """Whether it was taken from the queue and is not finished."""
        return self.state.status in (PageStatus.CHECKING, PageStatus.PROCESSING)

    @property
    def was_decided(self) -> bool:
        """Whether rules and options were asked about it, or are just being asked."""
        return self.is_in_hand or self.state.status.is_settled

    @property
    def question(self) -> tuple[PageFacts, Treatment | None] | None:
        """What is to be decided about it; None until it was looked at."""
        return None if self.facts is None else (self.facts, self.asked)

    def stands(self, decisions: Mapping[tuple[PageFacts, Treatment | None], Decision]) -> bool:
        """Whether the page has what is decided for it now."""
        decision = decisions.get(self.question) if self.question else None
        if decision is None or decision.failure is not None or self.state.status is PageStatus.FAILED:
            return False
        reason = decision.verdict.reason
        return self.recipe == decision.recipe and (self.recipe is not None or self.state.reason == reason)

    @property
    def lane(self) -> Lane:
        """Why it is wanted."""
        return self.place.lane if self.place else Lane.BACKGROUND


@dataclass(frozen=True)
class Seen:
    """A page that was looked at, and what its file was then."""

    book: Path
    name: str
    stamp: Stamp | None
    state: PageState


@dataclass
class Reading:
    """A book from its opening until it is left. empty_since: when nobody sat at it any more (the clock's seconds)."""

    book_id: str
    path: Path
    pages: Sequence[BookPage]
    is_folder: bool
    seats: Seats = field(default_factory=Seats)
    empty_since: float | None = None
    records: dict[int, PageRecord] = field(default_factory=dict)

    @property
    def source(self) -> JobSource:
        """The book as jobs know it."""
        return JobSource("folder" if self.is_folder else "archive", self.path)

    def record(self, index: int) -> PageRecord:
        """The page's; raises UnknownBookError where the book has no such page."""
        if index not in self.records:
            self.check(index)
            blank = PageState(self.book_id, index, book_path=self.path)
            self.records[index] = PageRecord(self.pages[index], blank)
        return self.records[index]

    def check(self, index: int) -> None:
        """Raises UnknownBookError where the book has no such page."""
        if not 0 <= index < len(self.pages):
            raise unknown_page(index, len(self.pages))

    def state(self, index: int) -> PageState:
        """The page's."""
        return self.record(index).state

    def index_of(self, name: str) -> int | None:
        """The page of that name."""
        return next((page.index for page in self.pages if page.name == name), None)


def priority_of(lane: Lane) -> Priority:
    """How urgent a job is for a page in that lane."""
    return _PRIORITIES.get(lane, Priority.AHEAD)
