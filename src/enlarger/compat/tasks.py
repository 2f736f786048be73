"""Pictures to enlarge, by number: what becomes of each is known without asking the disk."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from enlarger.compat.private_jobs import MakeCrew, private_jobs
from enlarger.enhance import Recipe
from enlarger.errors import EnlargerError, IllegalMoveError, StorageError, TimedOutError, UnknownJobError
from enlarger.jobs import (
    Failure,
    Job,
    JobNews,
    JobSource,
    JobState,
    OnlyPage,
    Priority,
    Submission,
    WorkerState,
    only_page,
)
from enlarger.messages import msg
from enlarger.models import Catalog
from enlarger.settings import Settings
from enlarger.storage import drop_tree, make_folder, storage_errors

State: TypeAlias = Literal["pending", "processing", "completed", "failed"]

_POLL_S = 0.2  # so that Ctrl-C is heard on Windows too
_JOIN_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskStatus:
    """How a task is. share: computed so far, 0..1. seconds: of work, by now or in all.

    failure: why it failed, or why it does not begin, such as a full disk. facts: of the result, as renders keep them.
    """

    number: int
    state: State
    share: float = 0.0
    seconds: float = 0.0
    failure: Failure | None = None
    facts: Mapping[str, Any] | None = None


@dataclass
class _Task:
    number: int
    job_id: str
    state: State = "pending"
    share: float = 0.0
    began_at: float = 0.0  # on the monotonic clock
    seconds: float = 0.0
    failure: Failure | None = None
    file: Path | None = None
    facts: Mapping[str, Any] | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ("completed", "failed")

    def status(self) -> TaskStatus:
        working = self.state == "processing"
        seconds = time.monotonic() - self.began_at if working else self.seconds
        return TaskStatus(self.number, self.state, self.share, seconds, self.failure, self.facts)

    def begin(self) -> None:
        if self.state == "pending":
            self.state, self.began_at, self.failure = "processing", time.monotonic(), None

    def fail(self, failure: Failure) -> None:
        self.seconds = self.status().seconds
        self.state, self.failure = "failed", failure

    def complete(self, page: OnlyPage) -> None:
        self.state, self.share, self.seconds = "completed", 1.0, page.result.seconds
        self.file, self.facts, self.failure = page.file, page.result.facts, None


class Tasks:
    """Open until `close`. Thread-safe; nothing waits for a picture but `wait`.

    make_crew: other workers than the server's. ended: called with a task's number when nothing more happens to it, from
    a thread of its own and without locks; not for tasks that were removed. Opening starts the workers and raises
    StorageError.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        make_crew: MakeCrew | None = None,
        ended: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self._ended = ended
        self._numbers = count(1)
        self._changed = threading.Condition()  # guards all below
        self._tasks: dict[int, _Task] = {}
        self._by_job: dict[str, _Task] = {}
        self._news = JobNews()
        self._given_up: list[int] = []
        self._adding = 0  # tasks that are on their way to the jobs
        self._closing = False
        with ExitStack() as stack:
            self._jobs = stack.enter_context(private_jobs(settings, make_crew))
            stack.callback(self._jobs.subscribe(self._hear))
            self._open = stack.pop_all()
        atexit.register(self.close)  # before the crew's own, so that no file is left either
        self._thread = threading.Thread(target=self._learn_all, name="tasks", daemon=True)
        self._thread.start()

    @property
    def catalog(self) -> Catalog:
        """The models that recipes may name."""
        return self._jobs.catalog

    def workers(self) -> list[WorkerState]:
        """The worker processes, and what each has in hand and keeps open."""
        return self._jobs.states()

    # ---- a task ----

    def add(self, data: bytes | bytearray | memoryview, recipe: Recipe, device: str = "auto") -> int:
        """Queue one picture; its number. Its bytes go to the disk, so that a long queue holds no memory.

        Raises StorageError. What is wrong with the picture is told by its status.
        """
        job_id = str(uuid4())
        with self._changed:
            self._require_open()
            task = _Task(next(self._numbers), job_id)
            self._tasks[task.number] = self._by_job[job_id] = task
            self._adding += 1
        try:
            path = self._take_in(job_id, f"task-{task.number}", data)
            source = JobSource("picture", path)
            self._jobs.submit(
                Submission(source, recipe, priority=Priority.INTERACTIVE, device=device, packs=False, id=job_id)
            )
        except BaseException:
            self._forget([task.number])
            drop_tree(self._jobs.storage.upload_dir(job_id))
            raise
        finally:
            with self._changed:
                self._adding -= 1
                self._changed.notify_all()
        return task.number

    def status(self, number: int) -> TaskStatus | None:
        """How the task is now; None when there is no such task."""
        with self._changed:
            task = self._tasks.get(number)
            return None if task is None else task.status()

    def result(self, number: int) -> bytes | None:
        """The file that was made of the picture; None where there is none, or none any more."""
        with self._changed:
            task = self._tasks.get(number)
        if task is None or task.file is None:
            return None
        try:
            return task.file.read_bytes()
        except OSError:  # removed in this moment, or the cache was emptied by hand
            return None

    def wait(self, number: int, timeout_s: float) -> bool:
        """Whether the task is completed. When the time is up its work is stopped, and it has failed.

        With a `timeout_s` of 0 or less it is only looked at.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while (task := self._tasks.get(number)) is not None and not task.has_ended and not self._closing:
                if (left_s := end - time.monotonic()) <= 0:
                    break
                self._changed.wait(min(left_s, _POLL_S))
        if task is None or task.has_ended or self._closing:
            return task is not None and task.state == "completed"
        if timeout_s > 0:
            self._give_up(task, timeout_s)
        return False

    def remove(self, numbers: Collection[int]) -> None:
        """Stop these within a tile and forget them, results too; unknown ones are gone already."""
        for task in self._forget(numbers):
            self._withdraw(task.job_id)

    def waiting(self, numbers: Collection[int]) -> list[int]:
        """Those of them that no worker has begun."""
        with self._changed:
            return [n for n in numbers if (task := self._tasks.get(n)) is not None and task.state == "pending"]

    def close(self) -> None:
        """Stop everything; afterwards no worker, no file and no task is left."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._adding, _JOIN_S)  # else their files come after all were deleted
        atexit.unregister(self.close)
        self._thread.join(_JOIN_S)
        self._open.close()
        with self._changed:
            self._tasks.clear()
            self._by_job.clear()

    # ---- in and out ----

    def _require_open(self) -> None:
        if self._closing:
            raise StorageError(msg("The workers were stopped."), msg("Add the picture again: workers start anew."))

    def _take_in(self, job_id: str, name: str, data: bytes | bytearray | memoryview) -> Path:
        path = self._jobs.storage.upload_dir(job_id) / "in" / name
        with storage_errors(path):
            make_folder(path.parent)
            path.write_bytes(data)
        return path

    def _forget(self, numbers: Collection[int]) -> list[_Task]:
        with self._changed:
            gone = [task for number in numbers if (task := self._tasks.pop(number, None)) is not None]
            for task in gone:
                self._by_job.pop(task.job_id, None)
            self._changed.notify_all()
        return gone

    def _withdraw(self, job_id: str) -> None:
        self._call_off(job_id)
        try:
            self._jobs.delete(job_id)
        except (UnknownJobError, IllegalMoveError):  # never accepted, or gone
            return
        except StorageError as error:  # it goes with the process
            _log.warning("a task's files stay: %s", error.text("en"))

    def _call_off(self, job_id: str) -> None:
        with suppress(UnknownJobError, IllegalMoveError):  # never accepted, or ended already
            self._jobs.cancel(job_id)

    def _give_up(self, task: _Task, timeout_s: float) -> None:
        with self._changed:
            if task.has_ended:
                return
            task.fail(_timed_out(task, timeout_s))
            self._given_up.append(task.number)
            self._changed.notify_all()
        self._call_off(task.job_id)

    # ---- what the jobs tell ----

    def _hear(self, job_id: str, progress: Mapping[str, Any] | None) -> None:
        """From the jobs' threads."""
        with self._changed:
            self._news.hear(job_id, progress)
            self._changed.notify_all()

    def _learn_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._news or self._given_up or self._closing)
                if self._closing:
                    return
                news = self._news.take()
                ended, self._given_up = self._given_up, []
            for job_id, share in news.items():
                ended += self._learn(job_id, share)
            for number in ended:
                self._tell(number)

    def _tell(self, number: int) -> None:
        try:
            self._ended(number)
        except Exception:  # whatever it raises is its own trouble
            _log.exception("a listener failed")

    def _learn(self, job_id: str, share: float | None) -> list[int]:
        """Take in one piece of news; the task's number if it ended with it."""
        with self._changed:
            task = self._by_job.get(job_id)
        if task is None:
            return []
        try:
            found = None if share is not None else self._look(job_id)
        except EnlargerError as error:  # deleted meanwhile, or the ledger cannot be read
            found = Failure.of(error)
        with self._changed:
            if task.has_ended:
                return []
            self._note(task, found, share)
            self._changed.notify_all()
            return [task.number] if task.has_ended else []

    def _look(self, job_id: str) -> OnlyPage | Failure | Job:
        """What the job ended with; the job itself while it has not."""
        job = self._jobs.get(job_id)
        return only_page(self._jobs, job) if job.state.is_final else job

    @staticmethod
    def _note(task: _Task, found: OnlyPage | Failure | Job | None, share: float | None) -> None:
        match found:
            case Failure():
                task.fail(found)
            case OnlyPage():
                task.complete(found)
            case Job(state=JobState.RUNNING) | None:
                task.begin()
                task.share = max(task.share, share or 0.0)
            case Job(reason=reason):
                task.failure = reason


def _timed_out(task: _Task, timeout_s: float) -> Failure:
    facts = {"number": task.number, "seconds": f"{timeout_s:g}"}
    if task.state == "pending":
        error = TimedOutError(
            msg("task-{number}: timeout after {seconds} seconds, and it had not begun.", **facts),
            msg("Give a longer timeout, or a smaller tile_size or smaller pictures to the tasks before it."),
        )
    else:
        error = TimedOutError(
            msg("task-{number}: timeout after {seconds} seconds; the work was stopped.", **facts),
            msg("Give a smaller tile_size, a smaller picture, or a longer timeout."),
        )
    return Failure.of(error)
