"""The desk: what every open book's reader wants, what each page gets, and what is to be done next.

No disk, no job and no thread: people's calls and jobs' answers change it, and the feeder asks it for orders and carries
them out. Whatever is called off while somebody works at it gets a new ticket, so that a late answer meets nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from enlarger.jobs import Failure, Submission
from enlarger.models import Catalog
from enlarger.reader.bookshelf import BookPage
from enlarger.reader.events import PageChanged, ReaderChanged, ReaderEvent
from enlarger.reader.facts import PageFacts
from enlarger.reader.hint import Hint, Pace
from enlarger.reader.law import Decision, Law
from enlarger.reader.options import ReaderOptions
from enlarger.reader.orders import Finished, Look, Order
from enlarger.reader.page_queue import Lane, Place, distance_to
from enlarger.reader.page_state import PageState, PageStatus
from enlarger.reader.patterns import Patterns
from enlarger.reader.reading import Reading, Seen
from enlarger.reader.readings import Readings
from enlarger.reader.rules import RuleSet, Treatment
from enlarger.reader.seats import GRACE_S, NAMELESS
from enlarger.reader.stamps import Stamp
from enlarger.reader.stats import ReaderStats, stats_of
from enlarger.reader.verdict import Verdict

_JOBS_A_WORKER = 2
_RETRIED = (PageStatus.FAILED, PageStatus.CANCELLED)


class Desk:
    """Open books in memory. Thread-safe; no call waits for anything."""

    def __init__(
        self,
        options: ReaderOptions,
        rules: RuleSet,
        catalog: Catalog,
        *,
        workers: int,
        clock: Callable[[], float],
        grace_s: float = GRACE_S,
    ) -> None:
        self.patterns = Patterns()
        self.hint: Hint | None = None
        self._law = Law(rules, options, catalog, self.patterns)
        self._clock = clock
        self._lock = threading.RLock()
        self._books = Readings(clock, _JOBS_A_WORKER * workers, grace_s)
        self._pace = Pace(catalog, workers)

    # ---- what is known ----

    @property
    def options(self) -> ReaderOptions:
        """As they are in force."""
        return self._law.options

    @property
    def rules(self) -> RuleSet:
        """As they are in force."""
        return self._law.rules

    def open_books(self) -> list[str]:
        """The ids of those that somebody reads, the one turned last first."""
        with self._lock:
            return [reading.book_id for reading in self._books if reading.seats][::-1]

    def sits(self, book_id: str, seat: str) -> bool:
        """Whether that client reads the book."""
        with self._lock:
            return book_id in self._books and seat in self._books.reading(book_id).seats

    def states(self, book_id: str) -> list[PageState]:
        """Of every page that was ever wanted, in reading order; none of a book that is not open."""
        with self._lock:
            records = self._books.reading(book_id).records if book_id in self._books else {}
            return [records[index].state for index in sorted(records)]

    def index_of(self, book_id: str, name: str) -> int | None:
        """The page of that name in an open book."""
        with self._lock:
            return self._books.reading(book_id).index_of(name)

    def seen(self, book_id: str, pages: Iterable[int]) -> list[Seen]:
        """Of these pages those that were looked at."""
        with self._lock:
            reading = self._books.reading(book_id)
            records = [reading.records[index] for index in pages if index in reading.records]
            return [
                Seen(reading.path, record.page.name, record.stamp, record.state) for record in records if record.facts
            ]

    def file_of(self, key: str) -> Path | None:
        """Where a finished render of an open book lies."""
        with self._lock:
            return self._books.file_of(key)

    def stats(self) -> ReaderStats:
        """Counts so far."""
        with self._lock:
            return stats_of(
                self._books.counters,
                self._books.records(),
                pending=len(self._books.queue),
                patterns=self.patterns,
                is_enabled=self.options.enabled,
            )

    # ---- what readers do ----

    def admit(
        self,
        book_id: str,
        path: Path,
        pages: Sequence[BookPage],
        *,
        is_folder: bool,
        seat: str = NAMELESS,
        anew: bool = False,
    ) -> list[PageState]:
        """Sit down at a book. Where its pages are others now, or `anew`, what was known of them is forgotten."""
        with self._lock:
            reading = self._books.reading(book_id) if book_id in self._books else None
            if reading is None or anew or [page.name for page in reading.pages] != [page.name for page in pages]:
                reading = self._begin(Reading(book_id, path, pages, is_folder), reading)
            if not reading.seats:
                self._books.events.append(ReaderChanged())
            self._books.sit(reading, seat)
            reading.empty_since = None
            return self.states(book_id)

    def leave(self, book_id: str, seat: str = NAMELESS) -> None:
        """The client reads the book no longer: what nobody else wants is called off.

        When nobody reads it any more it is known for the grace, and then closed.
        """
        with self._lock:
            self._books.left(seat, book_id)
            if book_id in self._books and self._books.reading(book_id).seats.free(seat):
                self._books.thin_out(self._books.reading(book_id), self.options.look_ahead, self._clock())

    def close(self) -> None:
        """Everybody leaves, without grace."""
        with self._lock:
            for reading in self._books:
                self._books.remove(reading.book_id)

    def came(self, seat: str) -> None:
        """The client has one more socket: as long as it has one, it is here."""
        with self._lock:
            self._books.came(seat)

    def went(self, seat: str) -> None:
        """The client has one socket less; without any, and without a word, its seats are free after the grace."""
        with self._lock:
            self._books.went(seat)

    def turn(self, book_id: str, page: int, also: Iterable[int] = (), seat: str = NAMELESS) -> list[PageState]:
        """The client sees these pages now. The states of all that it wants, the most urgent first."""
        with self._lock:
            reading = self._books.reading(book_id)
            shown = tuple(dict.fromkeys((page, *also)))
            for index in shown:
                reading.check(index)
            reading.empty_since = None
            place = self._books.sit(reading, seat)
            place.turn(shown)
            self._pace.turned(self._clock(), len(shown))
            self._books.turned(reading)
            self._arrange(reading)
            return [reading.state(index) for index in place.places]

    def want(
        self,
        book_id: str,
        page: int,
        lane: Lane,
        *,
        asked: Treatment | None = None,
        image_hash: str = "",
        seat: str = NAMELESS,
    ) -> PageState:
        """A page is asked for by itself; one that failed is tried again. asked: the treatment the request named.

        Until the client turns: then it has to be in range, unless it is wanted in the background.
        """
        with self._lock:
            reading = self._books.reading(book_id)
            record = reading.record(page)
            if asked != record.asked or record.state.status in _RETRIED:
                self._books.call_off(record, PageStatus.ORIGINAL)
            record.asked = asked
            if image_hash:
                record.state = replace(record.state, image_hash=image_hash)
            if self.options.enabled:
                record.in_background |= lane is Lane.BACKGROUND
                place = Place(lane, distance_to(page, reading.seats.shown))
                if lane is not Lane.BACKGROUND:
                    self._books.sit(reading, seat).asked[page] = place
                self._books.want(record, min(record.place or place, place))
            if record.state.status.is_settled:  # who asks is told by an event, also of what is there already
                self._books.events.append(PageChanged(record.state))
            return record.state

    def cancel(self, book_id: str, pages: Collection[int] | None = None) -> None:
        """Nothing more is done for these pages of an open book, or for all of it; finished ones stay.

        A page that is named and failed is forgotten, so that the next turn tries it again.
        """
        with self._lock:
            records = self._books.reading(book_id).records if book_id in self._books else {}
            for index, record in records.items():
                status = record.state.status
                named = pages is not None and index in pages
                if (status.is_wanted and (pages is None or named)) or (status is PageStatus.FAILED and named):
                    self._books.call_off(record)

    def cancel_everything(self) -> None:
        """Nothing more is done for any page; finished ones stay."""
        with self._lock:
            for reading in self._books:
                self.cancel(reading.book_id)

    def forget(self, book_id: str, page: int) -> None:
        """What is known of the page is not true any longer."""
        with self._lock:
            self._books.call_off(self._books.reading(book_id).record(page), PageStatus.ORIGINAL)

    def forget_results(self) -> None:
        """Finished pages are given up; each is made again when it is wanted again."""
        with self._lock:
            for record in self._books.records():
                if record.state.status is PageStatus.COMPLETED:
                    self._books.call_off(record)

    # ---- what people set ----

    def set_options(self, options: ReaderOptions) -> None:
        """Off: everything is called off. On, or otherwise set: what is shown is wanted as it is now.

        One thing is set at a time.
        """
        if replace(self.options, look_ahead=options.look_ahead) != options:
            self.hint = None
        self._enact(replace(self._law, options=options))

    def set_rules(self, rules: RuleSet) -> None:
        """Pages that get something else now are made anew. One thing is set at a time."""
        self._enact(replace(self._law, rules=rules))

    def verdict(self, facts: PageFacts, *, rules: RuleSet | None = None) -> Verdict:
        """What such a page gets, under rules that need not be the ones in force."""
        return replace(self._law, rules=self.rules if rules is None else rules).verdict(facts)

    def decide(self, facts: PageFacts, asked: Treatment | None) -> Decision:
        """What such a page would get now."""
        return self._law.decide(facts, asked)

    # ---- what the feeder asks and tells ----

    def next_order(self) -> Order | None:
        """What is to be done next; None: nothing, until something changes."""
        with self._lock:
            return self._books.orders.popleft() if self._books.orders else self._books.next_look()

    def end_graces(self) -> None:
        """Free the seats of clients that are away for so long, and close the books that nobody reads for so long."""
        with self._lock:
            self._books.end_graces(self.options.look_ahead)

    def grace_left_s(self) -> float | None:
        """Until the next grace is over; None: none runs."""
        with self._lock:
            return self._books.grace_left_s()

    def next_event(self) -> ReaderEvent | None:
        """The next thing to tell, in order."""
        with self._lock:
            return self._books.events.popleft() if self._books.events else None

    def judged(self, look: Look, facts: PageFacts, stamp: Stamp | None) -> Submission | None:
        """The page's job, unless it gets none, or is not wanted any longer."""
        while True:
            with self._lock:
                law, record = self._law, self._books.held(look)
            if record is None:
                return None
            decision = law.decide(facts, record.asked)  # not under the lock: people's patterns may be slow
            with self._lock:
                if self._books.held(look) is record and law is self._law:
                    return self._books.decided(record, facts, stamp, decision)

    def failed(self, look: Look, failure: Failure) -> None:
        """The page cannot be looked at, or its job was refused."""
        with self._lock:
            record = self._books.held(look)
            if record is not None:
                self._books.fail(record, failure)

    def put_back(self, look: Look) -> None:
        """There is no room for the page's job just now."""
        with self._lock:
            record = self._books.held(look)
            if record is not None:
                self._books.take_back(record)

    def knows(self, job_id: str) -> bool:
        """Whether the job is at work for a page that is wanted."""
        with self._lock:
            return self._books.at_work(job_id) is not None

    def progressed(self, job_id: str, share: float) -> None:
        """So much of the page's tiles is done, 0..1."""
        with self._lock:
            record = self._books.at_work(job_id)
            if record is not None:
                self._books.set(record, share=share)

    def waits(self, job_id: str, reason: Failure | None) -> None:
        """The job is paused for this reason, or (None) goes on."""
        with self._lock:
            record = self._books.at_work(job_id)
            if record is not None:
                self._books.set(record, error=reason)

    def finished(self, job_id: str, result: Finished) -> None:
        """The page is ready."""
        with self._lock:
            record = self._books.finish(job_id, result)
            if record is None or record.recipe is None or record.facts is None or not result.computed:
                return
            hint = self._pace.finished(record.recipe, record.facts.megapixels, result.seconds)
            if hint is not None:
                self.hint = hint
                self._books.events.append(ReaderChanged())

    def ended(self, job_id: str, failure: Failure | None) -> None:
        """The page failed, or (None) somebody else stopped its job."""
        with self._lock:
            record = self._books.at_work(job_id)
            if record is not None and failure is not None:
                self._books.fail(record, failure)
            elif record is not None:
                self._books.call_off(record)

    # ---- within ----

    def _begin(self, reading: Reading, before: Reading | None) -> Reading:
        """The book is open; who read it as it was before reads on, if there are such pages."""
        if before is not None:
            self._books.remove(before.book_id)
            reading.seats = before.seats
            reading.seats.keep_within(len(reading.pages))
        self._books.add(reading)
        if before is not None:
            self._books.turned(reading)
            self._arrange(reading)
        return reading

    def _arrange(self, reading: Reading) -> None:
        self._books.arrange(reading, self.options.look_ahead, wants=self.options.enabled)

    def _enact(self, law: Law) -> None:
        """Pages that get something else now begin again; then everybody is where he is."""
        with self._lock:
            known = {record.question for record in self._books.records() if record.question}
        decisions = {question: law.decide(*question) for question in known}
        with self._lock:
            self._law = law
            for record in self._books.records():
                if not law.options.enabled:
                    self._books.call_off(record, PageStatus.ORIGINAL)
                elif record.was_decided and not record.stands(decisions):
                    self._books.begin_again(record)
            for reading in self._books if law.options.enabled else ():
                self._arrange(reading)
            self._books.events.append(ReaderChanged())
