"""The desk: what every open book's reader wants, what each page gets, and what is to be done next.

No disk, no job and no thread: people's calls and jobs' answers change it, and the feeder asks it for orders and carries
them out. Whatever is called off while somebody works at it gets a new ticket, so that a late answer meets nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from enlarger.enhance import Recipe
from enlarger.errors import EnlargerError
from enlarger.jobs import Failure, Submission
from enlarger.models import Catalog
from enlarger.reader.bookshelf import BookPage
from enlarger.reader.events import PageChanged, ReaderChanged, ReaderEvent
from enlarger.reader.facts import PageFacts
from enlarger.reader.hint import Hint, Pace
from enlarger.reader.look_ahead import direction_of
from enlarger.reader.options import ReaderOptions
from enlarger.reader.orders import Finished, Look, Order
from enlarger.reader.page_queue import Lane, Place
from enlarger.reader.page_state import PageState, PageStatus, RuleName
from enlarger.reader.patterns import Patterns
from enlarger.reader.reading import PageRecord, Reading
from enlarger.reader.readings import Readings
from enlarger.reader.rules import RuleSet, Treatment
from enlarger.reader.stamps import Stamp
from enlarger.reader.stats import ReaderStats
from enlarger.reader.verdict import Verdict, judge

_JOBS_A_WORKER = 2
_RETRIED = (PageStatus.FAILED, PageStatus.CANCELLED)


@dataclass(frozen=True)
class Seen:
    """A page that was looked at, and what its file was then."""

    book: Path
    name: str
    stamp: Stamp | None
    state: PageState


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
    ) -> None:
        self.patterns = Patterns()
        self.options, self.rules = options, rules  # changed through their setters only
        self.hint: Hint | None = None
        self._catalog, self._clock = catalog, clock
        self._lock = threading.RLock()
        self._books = Readings(clock, _JOBS_A_WORKER * workers)
        self._pace = Pace(catalog, workers)

    # ---- what is known ----

    def open_books(self) -> list[str]:
        """Their ids, the one turned last first."""
        with self._lock:
            return [reading.book_id for reading in self._books][::-1]

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
            counters, records = self._books.counters, self._books.records()
            finished = [record.bytes for record in records if record.state.status is PageStatus.COMPLETED]
            count, mean_ms, longest_ms = counters.waits_ms
            return ReaderStats(
                memory_cache_count=len(finished),
                memory_cache_bytes=sum(finished),
                pending_tasks=len(self._books.queue),
                processing_tasks=sum(record.is_in_hand for record in records),
                completed_count=counters.completed,
                skipped_count=counters.skipped,
                failed_count=counters.failed,
                queue_wait_sample_count=count,
                queue_wait_avg_ms=mean_ms,
                queue_wait_max_ms=longest_ms,
                dedupe_request_count=counters.wanted,
                dedupe_hit_count=counters.wanted_again,
                regex_cache_hit_count=self.patterns.hits,
                regex_cache_miss_count=self.patterns.misses,
                is_enabled=self.options.enabled,
            )

    # ---- what readers do ----

    def admit(self, book_id: str, path: Path, pages: Sequence[BookPage], *, is_folder: bool) -> list[PageState]:
        """Open a book; where it is open and its pages are others now, what was known of them is forgotten."""
        with self._lock:
            if book_id in self._books:
                reading = self._books.reading(book_id)
                if [page.name for page in reading.pages] == [page.name for page in pages]:
                    return self.states(book_id)
                self._books.remove(book_id)
            self._books.add(Reading(book_id, path, pages, is_folder))
            self._books.events.append(ReaderChanged())
            return []

    def leave(self, book_id: str) -> None:
        """The book is closed: what is done for it is called off."""
        with self._lock:
            if self._books.remove(book_id):
                self._books.events.append(ReaderChanged())

    def turn(self, book_id: str, page: int, also: Iterable[int] = ()) -> list[PageState]:
        """These pages are shown now. The states of all that are wanted, the most urgent first."""
        with self._lock:
            reading = self._books.reading(book_id)
            shown = tuple(dict.fromkeys((page, *also)))
            for index in shown:
                reading.check(index)
            reading.direction = direction_of(reading.shown, shown, reading.direction)
            reading.shown = shown
            self._pace.turned(self._clock(), len(shown))
            self._books.arrange(reading, self.options.look_ahead, wants=self.options.enabled)
            return [reading.state(index) for index in reading.places]

    def want(
        self, book_id: str, page: int, lane: Lane, *, asked: Treatment | None = None, image_hash: str = ""
    ) -> PageState:
        """A page is asked for by itself; one that failed is tried again. asked: the treatment the request named."""
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
                place = Place(lane, min((abs(page - shown) for shown in reading.shown), default=0))
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
        """Off: everything is called off. On, or otherwise set: what is shown is wanted as it is now."""
        with self._lock:
            if replace(self.options, look_ahead=options.look_ahead) != options:
                self.hint = None
            self.options = options
            if options.enabled:
                self._decide_anew()
            else:
                for record in self._books.records():
                    self._books.call_off(record, PageStatus.ORIGINAL)
            self._books.events.append(ReaderChanged())

    def set_rules(self, rules: RuleSet) -> None:
        """Pages that get something else now are made anew."""
        with self._lock:
            self.rules = rules
            if self.options.enabled:
                self._decide_anew()
            self._books.events.append(ReaderChanged())

    def verdict(self, facts: PageFacts, *, rules: RuleSet | None = None, asked: Treatment | None = None) -> Verdict:
        """What such a page gets, under rules that need not be the ones in force."""
        return judge(facts, self.rules if rules is None else rules, self.options.treatment, self.patterns, asked=asked)

    # ---- what the feeder asks and tells ----

    def next_order(self) -> Order | None:
        """What is to be done next; None: nothing, until something changes."""
        with self._lock:
            return self._books.orders.popleft() if self._books.orders else self._books.next_look()

    def next_event(self) -> ReaderEvent | None:
        """The next thing to tell, in order."""
        with self._lock:
            return self._books.events.popleft() if self._books.events else None

    def judged(self, look: Look, facts: PageFacts, stamp: Stamp | None) -> Submission | None:
        """The page's job, unless it gets none, or is not wanted any longer."""
        with self._lock:
            record = self._books.held(look)
            if record is None:
                return None
            record.facts, record.stamp = facts, stamp
            verdict = self.verdict(facts, asked=record.asked)
            rule = verdict.rule and RuleName(verdict.rule.id, verdict.rule.name)
            known: dict[str, Any] = {"original_width": facts.width, "original_height": facts.height}
            known |= {"rule": rule, "reason": verdict.reason}
            try:
                record.recipe = self._recipe(verdict)
            except EnlargerError as error:
                self._books.fail(record, Failure.of(error), **known)
                return None
            if record.recipe is None:
                self._books.skip(record, **known)
                return None
            return self._books.hand_in(record, **known)

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

    def _recipe(self, verdict: Verdict) -> Recipe | None:
        return None if verdict.recipe is None else self.options.recipe(verdict.recipe, self._catalog)

    def _decide_anew(self) -> None:
        """Pages that get something else now begin again; then everybody is where he is."""
        for record in self._books.records():
            if (record.is_in_hand or record.state.status.is_settled) and not self._stands(record):
                self._books.begin_again(record)
        for reading in self._books:
            if reading.shown:
                self._books.arrange(reading, self.options.look_ahead, wants=True)

    def _stands(self, record: PageRecord) -> bool:
        """Whether what was decided for the page would be decided again."""
        if record.facts is None or record.state.status is PageStatus.FAILED:
            return False
        verdict = self.verdict(record.facts, asked=record.asked)
        if verdict.recipe is None:
            return record.recipe is None and record.state.reason == verdict.reason
        try:
            return record.recipe == self._recipe(verdict)
        except EnlargerError:
            return False
