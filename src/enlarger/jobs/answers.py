"""What workers answer, and what the ledger is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from enlarger.errors import DiskFullError, EnlargerError, ModelError
from enlarger.jobs.assigning import Assigning
from enlarger.jobs.crew import Crew
from enlarger.jobs.disk_gate import DiskGate
from enlarger.jobs.in_hand import InHand, Task
from enlarger.jobs.job import Priority
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.listeners import JobListeners
from enlarger.jobs.owed_writes import OwedWrites
from enlarger.jobs.protocol import (
    Cancel,
    Done,
    Drop,
    Failed,
    FromCrew,
    GaveBack,
    Prepared,
    Prioritise,
    TileDone,
    WorkerDied,
    WorkerLeft,
)

_log = logging.getLogger(__name__)


def _codes(error: type[EnlargerError]) -> set[str]:
    return {error.code}.union(*(_codes(kind) for kind in error.__subclasses__()))


_FAILS_THE_JOB = frozenset(_codes(ModelError))  # every page would fail alike: one clear error instead


class Answers:
    """Deals with each message by itself. Belongs to the dispatcher's thread."""

    def __init__(
        self,
        ledger: Ledger,
        crew: Crew,
        in_hand: InHand,
        owed: OwedWrites,
        gate: DiskGate,
        assigning: Assigning,
        listeners: JobListeners,
    ) -> None:
        self._ledger = ledger
        self._crew = crew
        self._in_hand = in_hand
        self._owed = owed
        self._gate = gate
        self._assigning = assigning
        self._listeners = listeners
        self._kept: set[int] = set()  # tasks of cancelled jobs that others wait for

    def hear(self, worker: str, message: FromCrew) -> None:
        """Ready, Idle and what is said of tasks that ended already are none of its business."""
        match message:
            case Prepared() | TileDone() | Done() | Failed() | GaveBack():
                if (task := self._in_hand.get(message.task)) is not None:
                    self._hear_of(task, message)
            case WorkerDied():
                self._bury(worker, message)
            case WorkerLeft():
                for task in self._in_hand.of_worker(worker):
                    self.give_back(task)

    def give_back(self, task: Task) -> None:
        """The page goes back to the queue, uncharged."""
        self._end(task, partial(self._ledger.give_back, task.claim))

    # ---- a job's pages are not wanted any more ----

    def release(self, job_id: str) -> None:
        """Call back what is not being computed yet."""
        for task in self._in_hand.of_job(job_id):
            self._crew.send(task.worker, Drop(task.number))

    def prioritise(self, job_id: str, priority: Priority) -> None:
        """Serve what is in hand with another priority; what may wait now goes back, so that others come first."""
        tasks = self._in_hand.of_job(job_id)
        falls = any(priority < task.own for task in tasks)
        self._in_hand.prioritise(job_id, priority)
        self._lend()
        if falls:
            self.release(job_id)

    def stop_pages(self, job_id: str) -> None:
        """Stop at the next tile, but for what another job waits for: its render lands in the cache."""
        self._in_hand.forget_waiting(job_id)
        self._lend()
        self._kept.update(task.number for task in self._in_hand.of_job(job_id))
        for number in list(self._kept):
            task = self._in_hand.get(number)
            if task is None or not self._in_hand.is_awaited(task):
                self._kept.discard(number)
            if task is not None and not self._in_hand.is_awaited(task):
                self._crew.send(task.worker, Cancel(number))

    # ---- one task's messages ----

    def _hear_of(self, task: Task, message: Prepared | TileDone | Done | Failed | GaveBack) -> None:
        claim = task.claim
        match message:
            case Prepared(cached=False, key=key):
                if (called_back := self._in_hand.hold(task, key)) is not None:
                    # not Drop: an idle worker has begun meanwhile, and one tile is all that is lost
                    self._crew.send(called_back.worker, Cancel(called_back.number))
                    self._lend()
            case TileDone(share=share):
                task.computing = True
                progress = {"page": claim.page.name, "position": claim.page.position, "share": share}
                self._listeners.tell(task.job_id, progress)
            case Done(result=result):
                self._end(task, partial(self._ledger.finish, claim, result))
            case Failed():
                self._fail(task, message)
            case GaveBack() if task.awaits:
                self._end(task, partial(self._ledger.await_key, claim, task.awaits))
            case GaveBack():
                self.give_back(task)

    def _lend(self) -> None:
        """A render that others wait for is as urgent as the most urgent of them."""
        for task in self._in_hand.lend():
            self._crew.send(task.worker, Prioritise(task.number, task.priority))

    def _fail(self, task: Task, message: Failed) -> None:
        failure = message.failure
        _log.warning("a page failed: %s", failure.text("en"), extra=_about(task))
        if failure.code == DiskFullError.code:
            self.give_back(task)
            self._gate.report_full(failure)
        elif failure.code in _FAILS_THE_JOB:
            self._end(task, partial(self._ledger.fail_job, task.job_id, failure))
            self.stop_pages(task.job_id)
        else:
            self._end(task, partial(self._ledger.fail, task.claim, failure))

    def _bury(self, worker: str, death: WorkerDied) -> None:
        """Nobody knows which of several pages it died of: each is tried alone, and only then charged."""
        tasks = self._in_hand.of_worker(worker)
        facts = {"worker": worker, "exit_code": death.exit_code, "pages": [task.claim.page.name for task in tasks]}
        _log.warning("a worker died (exit code %d)", death.exit_code, extra=facts)
        alone = len(tasks) > 1
        for task in tasks:
            self._end(task, partial(self._ledger.give_back, task.claim, alone=alone, crashed=not alone))
        self._assigning.look()

    def _end(self, task: Task, write: Callable[[], object]) -> None:
        self._in_hand.take(task.number)
        self._kept.discard(task.number)
        self._owed.write(write, _about(task))


def _about(task: Task) -> Mapping[str, str | int]:
    return {"job": task.job_id, "page": task.claim.page.name, "position": task.claim.page.position}
