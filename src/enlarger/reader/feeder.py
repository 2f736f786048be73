"""The one thread that carries out what the desk orders, and brings it what became of its jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from enlarger.books import open_book, stated_header
from enlarger.errors import EnlargerError, IllegalMoveError, QueueFullError, StorageError, UnknownJobError
from enlarger.jobs import Failure, JobNews, Jobs, JobState, OnlyPage, only_page
from enlarger.messages import msg
from enlarger.pictures import read_header
from enlarger.reader.desk import Desk
from enlarger.reader.events import ReaderEvent, ReaderListener
from enlarger.reader.facts import PageFacts
from enlarger.reader.orders import Finished, Look, Order, Prioritise, Release
from enlarger.reader.stamps import page_stamp
from enlarger.settings import Settings

_FIRST_BYTES = 1 << 16  # of a render: more than the header of any format takes
_RETRY_S = 1.0  # after the ledger had no room
_JOIN_S = 30.0
_log = logging.getLogger(__name__)


class Feeder:
    """Between a Desk and Jobs. All calls to Jobs that change something are made by its thread."""

    def __init__(self, jobs: Jobs, desk: Desk, tell: ReaderListener) -> None:
        self._jobs, self._desk, self._tell = jobs, desk, tell
        self._changed = threading.Condition()  # guards the news, _woken and _stopping
        self._news = JobNews()
        self._woken = self._stopping = self._full = False
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._unsubscribe = jobs.subscribe(self._hear)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """The desk was changed."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Carry out what is ordered by now, begin nothing more, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._unsubscribe()

    def _hear(self, job_id: str, progress: Mapping[str, Any] | None) -> None:
        """From the jobs' threads."""
        with self._changed:
            self._news.hear(job_id, progress)
            self._changed.notify_all()

    # ---- the thread ----

    def _run(self) -> None:
        while True:
            patience_s = self._patience_s
            with self._changed:
                self._changed.wait_for(lambda: self._woken or self._news or self._stopping, patience_s)
                news = self._news.take()
                self._woken, stopping = False, self._stopping
            try:
                self._learn(news)
                self._serve(stopping=stopping)
            except Exception:  # whatever it was, the next page must come
                _log.exception("the reader stumbled")
            if stopping:
                return

    @property
    def _patience_s(self) -> float | None:
        waits = (self._desk.grace_left_s(), _RETRY_S if self._full else None)
        return min((wait for wait in waits if wait is not None), default=None)

    def _serve(self, *, stopping: bool) -> None:
        self._full = False
        self._desk.end_graces()
        self._publish()
        while not self._full and (order := self._desk.next_order()) is not None:
            if stopping and isinstance(order, Look):
                break
            self._carry_out(order)
            self._publish()
        self._publish()

    def _publish(self) -> None:
        while (event := self._desk.next_event()) is not None:
            self._tell_one(event)

    def _tell_one(self, event: ReaderEvent) -> None:
        try:
            self._tell(event)
        except Exception:  # a listener is a shell's code: whatever it raises is its own trouble
            _log.exception("a listener failed")

    # ---- orders ----

    def _carry_out(self, order: Order) -> None:
        if isinstance(order, Look):
            self._look(order)
        elif isinstance(order, Prioritise):
            with suppress(UnknownJobError, IllegalMoveError):  # it ended meanwhile
                self._jobs.prioritise(order.job_id, order.priority)
        else:
            self._release(order)

    def _release(self, order: Release) -> None:
        try:
            with suppress(IllegalMoveError):  # it ended already
                self._jobs.cancel(order.job_id)
            self._jobs.delete(order.job_id)
        except (UnknownJobError, IllegalMoveError):  # never accepted, or gone
            return
        except StorageError as error:  # it expires as every transient job does
            _log.warning("a page's job stays: %s", error.text("en"), extra={"job": order.job_id})

    def _look(self, look: Look) -> None:
        try:
            stamp = page_stamp(look.book, look.name)
            submission = self._desk.judged(look, _facts(look, self._jobs.settings), stamp)
            self._publish()
            if submission is not None:
                self._jobs.submit(submission)
        except QueueFullError:
            self._full = True
            self._desk.put_back(look)
        except EnlargerError as error:
            self._desk.failed(look, Failure.of(error))
        except Exception as error:  # a codec or a disk may raise anything, and one page must not stop the others
            _log.exception("unforeseen: %s", look.name)
            self._desk.failed(look, _unforeseen(look.name, error))

    # ---- answers ----

    def _learn(self, news: Mapping[str, float | None]) -> None:
        for job_id, share in news.items():
            if not self._desk.knows(job_id):
                continue
            if share is not None:
                self._desk.progressed(job_id, share)
            else:
                self._learn_state(job_id)

    def _learn_state(self, job_id: str) -> None:
        try:
            job = self._jobs.get(job_id)
            ended = only_page(self._jobs, job) if job.state.is_final else None
        except UnknownJobError:  # somebody deleted it
            self._desk.ended(job_id, None)
            return
        if ended is None:
            self._desk.waits(job_id, job.reason if job.state is JobState.PAUSED else None)
        elif isinstance(ended, OnlyPage):
            self._finished(job_id, ended)
        else:
            self._desk.ended(job_id, None if job.state is JobState.CANCELLED else ended)

    def _finished(self, job_id: str, page: OnlyPage) -> None:
        result, file = page.result, page.file
        try:
            width, height = _size_of(file)
        except (EnlargerError, OSError):  # it was deleted in this moment, or by somebody's hand
            self._desk.ended(job_id, None)
            return
        self._desk.finished(
            job_id,
            Finished(
                key=result.key,
                file=file,
                width=width,
                height=height,
                bytes=result.bytes,
                seconds=result.seconds,
                computed=result.computed,
                input_sha256=result.input_sha256,
            ),
        )


def _facts(look: Look, settings: Settings) -> PageFacts:
    """What rules are asked about, from the shelf's knowledge or the header; raises InputError."""
    width, height, file_type = look.width, look.height, look.file_type
    if not (width and height):
        with open_book(look.book, settings=settings, recursive="/" in look.name) as book:
            header = stated_header(book, look.name) or read_header(book.read(look.name), name=look.name)
        width, height, file_type = header.width, header.height, header.format
    return PageFacts.of_page(look.book, look.name, width=width, height=height, file_type=file_type)


def _size_of(file: Path) -> tuple[int, int]:
    with file.open("rb") as reader:
        header = read_header(reader.read(_FIRST_BYTES), name=file.name)
    return header.width, header.height


def _unforeseen(name: str, error: Exception) -> Failure:
    return Failure(
        "internal",
        msg("{name}: something unforeseen happened ({error}).", name=name, error=f"{type(error).__name__}: {error}"),
        msg("This is a mistake in Enlarger; please report it."),
    )
