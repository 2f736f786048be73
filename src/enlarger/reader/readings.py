"""The books that are open, and what happens to their pages: wanted, in hand, finished, called off."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from enlarger.errors import UnknownBookError
from enlarger.jobs import Failure, Submission
from enlarger.messages import msg
from enlarger.reader.events import PageChanged, ReaderChanged, ReaderEvent
from enlarger.reader.facts import PageFacts
from enlarger.reader.law import Decision
from enlarger.reader.look_ahead import LookAhead
from enlarger.reader.orders import Finished, Look, Order, Prioritise, Release
from enlarger.reader.page_queue import Lane, PageQueue, Place, Reference, distance_to
from enlarger.reader.page_state import PageState, PageStatus, RuleName
from enlarger.reader.reading import PageRecord, Reading, priority_of
from enlarger.reader.seats import NAMELESS, Seat
from enlarger.reader.stamps import Stamp
from enlarger.reader.stats import Counters

OWNER = "reader"
MOST_OPEN = 32  # books; one more, and the one not turned for longest is left
_EVERY_BOOK = ""
_MOST_GONE = 1024  # clients


class Readings:
    """Readings, their queue, and what follows for jobs (`orders`) and listeners (`events`). Not thread-safe."""

    def __init__(self, clock: Callable[[], float], window: int, grace_s: float) -> None:
        self.queue = PageQueue(clock)
        self.counters = Counters()
        self.orders: deque[Order] = deque()
        self.events: deque[ReaderEvent] = deque()
        self._clock, self._grace_s = clock, grace_s
        self._sockets: Counter[str] = Counter()  # by seat
        self._gone: OrderedDict[tuple[str, str], bool] = OrderedDict()  # who left, and which book
        self._window = window
        self._readings: OrderedDict[str, Reading] = OrderedDict()  # the one turned last is last
        self._jobs: dict[str, PageRecord] = {}
        self._files: dict[str, dict[str, Path]] = {}  # by a render's key and its job's id

    def __iter__(self) -> Iterator[Reading]:
        """The open books, the one turned last at the end."""
        return iter(list(self._readings.values()))

    def __contains__(self, book_id: str) -> bool:
        return book_id in self._readings

    # ---- books ----

    def reading(self, book_id: str) -> Reading:
        """Raises UnknownBookError for a book that is not open."""
        try:
            return self._readings[book_id]
        except KeyError:
            raise UnknownBookError(msg("This book is not open: {book}.", book=book_id)) from None

    def add(self, reading: Reading) -> None:
        """Open a book; of too many, one that nobody reads is left, or the one not turned for longest."""
        self._readings[reading.book_id] = reading
        while len(self._readings) > MOST_OPEN:
            others = list(self._readings.values())[:-1]
            self.remove(min(others, key=lambda other: len(other.seats) > 0).book_id)

    def remove(self, book_id: str) -> None:
        """Leave a book, if it is open: all that is done for it is called off."""
        reading = self._readings.pop(book_id, None)
        for record in reading.records.values() if reading else ():
            self.call_off(record)
        self.queue.drop_book(book_id)

    def records(self) -> list[PageRecord]:
        """Of all books."""
        return [record for reading in self._readings.values() for record in reading.records.values()]

    def turned(self, reading: Reading) -> None:
        """From now on the book is the one turned last."""
        self._readings.move_to_end(reading.book_id)
        self.queue.turn(reading.book_id)

    def arrange(self, reading: Reading, reach: LookAhead, *, wants: bool) -> None:
        """Those who read are where their seats say: what is near is wanted, all else called off.

        Not `wants`: of what is near nothing that is not wanted already, or ready.
        """
        for seat in reading.seats:
            seat.look_ahead(len(reading.pages), reach)
        shown, places = reading.seats.shown, reading.seats.places()
        for index in self.queue.arrange(reading.book_id, shown, places):
            self.call_off(reading.record(index))
        for record in reading.records.values():
            if record.state.page not in places:
                self._fall_back(record, distance_to(record.state.page, shown))
        for index, place in places.items():
            record = reading.record(index)
            if wants or record.state.status.is_wanted or record.state.status.is_settled:
                self.want(record, place)

    # ---- who reads ----

    def came(self, seat: str) -> None:
        """The client has one more socket."""
        self._sockets[seat] += 1
        self._gone.pop((seat, _EVERY_BOOK), False)
        for reading in self:
            reading.seats.came(seat)

    def went(self, seat: str) -> None:
        """The client has one socket less."""
        self._sockets[seat] -= 1
        if self._sockets[seat] <= 0:
            del self._sockets[seat]
            self._note_gone(seat, _EVERY_BOOK)
            for reading in self:
                reading.seats.went(seat, self._clock())

    def left(self, seat: str, book_id: str) -> None:
        """The client said that it reads the book no longer."""
        if seat != NAMELESS and not self._sockets[seat]:
            self._note_gone(seat, book_id)

    def sit(self, reading: Reading, seat: str) -> Seat:
        """The client's seat at the book. A call that its going overtook takes one that ends with the grace."""
        place = reading.seats.take(seat, self._clock())
        overtaken = self._gone.pop((seat, reading.book_id), False)
        if not self._sockets[seat] and (overtaken or (seat, _EVERY_BOOK) in self._gone):
            place.away_since = self._clock()
        return place

    def thin_out(self, reading: Reading, reach: LookAhead, now: float) -> None:
        """Somebody left. When nobody is there any more the work stops, and what is finished stays for the grace."""
        if reading.seats:
            self.arrange(reading, reach, wants=False)
            return
        reading.empty_since = now
        for record in reading.records.values():
            if record.state.status.is_wanted:
                self.call_off(record)
            record.place = None
        self.events.append(ReaderChanged())

    def end_graces(self, reach: LookAhead) -> None:
        """Free the seats of clients that are away for so long, and leave the books that nobody reads for so long."""
        moment = self._clock() - self._grace_s
        for reading in self:
            freed = reading.seats.free_since(moment)
            if freed is not None:
                self.thin_out(reading, reach, freed)
            if reading.empty_since is not None and reading.empty_since <= moment:
                self.remove(reading.book_id)

    def grace_left_s(self) -> float | None:
        """Until the next grace is over; None: none runs."""
        begun = [since for reading in self for since in (reading.empty_since, reading.seats.first_away())]
        first = min((since for since in begun if since is not None), default=None)
        return None if first is None else max(0.0, first + self._grace_s - self._clock())

    # ---- pages ----

    def want(self, record: PageRecord, place: Place) -> None:
        """A page is wanted, or wanted again; what is finished, skipped or failed stays so."""
        state = record.state
        if state.status.is_settled:
            record.place = place
            record.state = replace(state, is_preload=place.lane is not Lane.CURRENT)
            return
        self.counters.wanted += 1
        self.counters.wanted_again += state.status.is_wanted
        record.place = place
        if not record.is_in_hand:
            self.queue.put(state.book_id, state.page, place)
        elif record.job_id and record.priority is not priority_of(place.lane):
            record.priority = priority_of(place.lane)
            self.orders.append(Prioritise(record.job_id, record.priority))
        status = state.status if state.status.is_wanted else PageStatus.PENDING
        self.set(record, status=status, is_preload=place.lane is not Lane.CURRENT)

    def call_off(self, record: PageRecord, ends: PageStatus | None = None) -> None:
        """Nothing is done for the page any more and nothing kept; without `ends` it is cancelled, if it was wanted."""
        state = record.state
        ends = ends or (PageStatus.CANCELLED if state.status.is_wanted else PageStatus.ORIGINAL)
        self.queue.drop(state.book_id, state.page)
        self._let_go(record)
        record.ticket += 1
        record.place = record.facts = record.recipe = None
        record.in_background = False
        blank = PageState(state.book_id, state.page, ends, book_path=state.book_path, image_hash=state.image_hash)
        self.set(record, **vars(blank))

    def begin_again(self, record: PageRecord) -> None:
        """What is done for a page is called off; one that waits or is read is wanted again in its place."""
        place, in_background, wanted = record.place, record.in_background, record.state.status.is_wanted
        self.call_off(record, PageStatus.ORIGINAL)
        if place is not None and (wanted or place.lane is Lane.CURRENT):
            record.in_background = in_background
            self.want(record, place)

    def set(self, record: PageRecord, **changes: Any) -> None:
        """The page's state is another; listeners are told, of mere progress once for what they have not heard yet."""
        state = replace(record.state, **changes)
        if state == record.state:
            return
        last = self.events[-1] if self.events else None
        if isinstance(last, PageChanged) and last.state is record.state and state.status is record.state.status:
            self.events.pop()
        record.state = state
        self.events.append(PageChanged(state))

    # ---- the way of a page ----

    def next_look(self) -> Look | None:
        """Take the most urgent page that may begin from the queue."""
        reference = self.queue.first(self._may_begin)
        if reference is None:
            return None
        self.queue.take(reference)
        self.counters.waited(self._clock() - reference.since)
        reading = self.reading(reference.book)
        record = reading.record(reference.page)
        record.place = reference.place
        self.set(record, status=PageStatus.CHECKING, is_preload=reference.place.lane is not Lane.CURRENT)
        page = record.page
        sizes = page.width or 0, page.height or 0
        return Look(reading.book_id, reference.page, record.ticket, reading.path, page.name, *sizes, page.format or "")

    def held(self, look: Look) -> PageRecord | None:
        """The page that was looked at, unless that was called off."""
        record = self._readings[look.book_id].records.get(look.page) if look.book_id in self else None
        return record if record is not None and record.ticket == look.ticket else None

    def decided(
        self, record: PageRecord, facts: PageFacts, stamp: Stamp | None, decision: Decision
    ) -> Submission | None:
        """The page's job, unless it gets none."""
        record.facts, record.stamp, record.recipe = facts, stamp, decision.recipe
        verdict = decision.verdict
        known: dict[str, Any] = {"original_width": facts.width, "original_height": facts.height}
        known |= {"rule": verdict.rule and RuleName(verdict.rule.id, verdict.rule.name), "reason": verdict.reason}
        if decision.failure is not None:
            self.fail(record, decision.failure, **known)
        elif decision.recipe is None:
            self.skip(record, **known)
        else:
            return self.hand_in(record, **known)
        return None

    def skip(self, record: PageRecord, **facts: Any) -> None:
        """The page gets nothing."""
        self.counters.skipped += 1
        self.set(record, status=PageStatus.SKIPPED, **facts)

    def fail(self, record: PageRecord, failure: Failure, **facts: Any) -> None:
        """The page stays as it is in the book, with this error."""
        self._let_go(record)
        self.counters.failed += 1
        self.set(record, status=PageStatus.FAILED, share=0.0, error=failure, **facts)

    def hand_in(self, record: PageRecord, **facts: Any) -> Submission:
        """The page's job, to be submitted."""
        recipe, lane = record.recipe, record.lane
        assert recipe is not None
        record.job_id, record.priority = str(uuid4()), priority_of(lane)
        self._jobs[record.job_id] = record
        decided = {"model": recipe.model, "scale": recipe.scale, "noise": recipe.noise, **facts}
        self.set(record, status=PageStatus.PROCESSING, **decided)
        return Submission(
            source=self.reading(record.state.book_id).source,
            recipe=recipe,
            priority=record.priority,
            packs=False,
            transient=True,
            owner=OWNER,
            only=(record.page.name,),
            id=record.job_id,
        )

    def take_back(self, record: PageRecord) -> None:
        """The page's job was not accepted: it waits again."""
        self._jobs.pop(record.job_id, None)
        record.job_id = ""
        self.queue.put(record.state.book_id, record.state.page, record.place or Place(record.lane))
        self.set(record, status=PageStatus.PENDING)

    def at_work(self, job_id: str) -> PageRecord | None:
        """The page that an unfinished job is for, while it is wanted."""
        return self._jobs.get(job_id)

    def finish(self, job_id: str, result: Finished) -> PageRecord | None:
        """The page is ready; None where it is not wanted any longer."""
        record = self._jobs.pop(job_id, None)
        if record is None:
            return None
        self.counters.completed += 1
        self._files.setdefault(result.key, {})[job_id] = result.file
        record.bytes = result.bytes
        known = {name: getattr(result, name) for name in ("key", "file", "width", "height", "seconds")}
        image_hash = record.state.image_hash or result.input_sha256
        self.set(record, status=PageStatus.COMPLETED, share=1.0, error=None, image_hash=image_hash, **known)
        return record

    def file_of(self, key: str) -> Path | None:
        """Where a finished render lies."""
        return next(iter(self._files.get(key, {}).values()), None)

    # ---- within ----

    def _note_gone(self, seat: str, book_id: str) -> None:
        self._gone[seat, book_id] = True
        self._gone.move_to_end((seat, book_id))
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)

    def _let_go(self, record: PageRecord) -> None:
        """Stop the page's job, or give up what it left."""
        if not record.job_id:
            return
        self._jobs.pop(record.job_id, None)
        files = self._files.get(record.state.key, {})
        if files.pop(record.job_id, None) and not files:
            del self._files[record.state.key]
        self.orders.append(Release(record.job_id))
        record.job_id, record.priority, record.bytes = "", None, 0

    def _fall_back(self, record: PageRecord, distance: int) -> None:
        """The page is out of range: what is done for it stops, unless somebody wants it in the background."""
        if record.state.status.is_settled:
            record.place = None
        elif not record.is_in_hand:
            return  # the queue has seen to it
        elif record.in_background:
            self.want(record, Place(Lane.BACKGROUND, distance))
        else:
            self.call_off(record)

    def _may_begin(self, reference: Reference) -> bool:
        """The page being read at once; others while few are in hand; the background counts only against itself."""
        lane = reference.place.lane
        if lane is Lane.CURRENT:
            return True
        return sum(1 for record in self._jobs.values() if record.lane <= max(lane, Lane.BACKWARD)) < self._window
