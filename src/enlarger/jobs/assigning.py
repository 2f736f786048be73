"""Who gets which page: a small window for each worker, and one page more that overtakes what is in it."""

from __future__ import annotations

from enlarger.jobs.crew import Crew
from enlarger.jobs.in_hand import InHand, Task
from enlarger.jobs.job import Claim, Priority
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.owed_writes import OwedWrites
from enlarger.jobs.protocol import Drop, Start
from enlarger.jobs.storage_root import StorageRoot
from enlarger.jobs.worker_care import WorkerCare

_WINDOW = 2  # one is computed while the next is decoded, so that the model never waits
_MOST = _WINDOW + len(Priority) - 1  # with those that overtake: each is more urgent than all that were there before it


class Assigning:
    """Claims pages from the ledger for workers that have room. Belongs to the dispatcher's thread."""

    def __init__(
        self,
        ledger: Ledger,
        crew: Crew,
        storage: StorageRoot,
        in_hand: InHand,
        care: WorkerCare,
        owed: OwedWrites,
    ) -> None:
        self._ledger = ledger
        self._crew = crew
        self._storage = storage
        self._in_hand = in_hand
        self._care = care
        self._owed = owed
        self._may_wait_alone = True  # a page may be to be tried by itself, of an earlier server perhaps

    def look(self) -> None:
        """Ask the ledger anew whether a page is to be tried by itself: workers are let run empty for it."""
        self._may_wait_alone = True

    def spread(self) -> None:
        """Fill the windows; raises StorageError when the ledger cannot be written."""
        takers = self._care.ready
        while takers:  # one page each in turn: a few pages are not all for the first
            worker = min(takers, key=self._load)
            claim = self._claim(worker)
            if claim is None and not self._in_hand.of_worker(worker):
                break  # nothing is there; what is listed a moment later shall not go behind another page
            if claim is None or not self._send(worker, claim):
                takers.remove(worker)
        self._share_out()

    def _share_out(self) -> None:
        """Call back pages that wait behind others while workers have nothing, which get them next."""
        idle = sum(not self._in_hand.of_worker(worker) for worker in self._care.ready)
        behind = [task for worker in self._care.present for task in self._behind(worker)]
        for task in sorted(behind, key=_urgency)[:idle]:
            self._crew.send(task.worker, Drop(task.number))

    def _behind(self, worker: str) -> list[Task]:
        tasks = sorted(self._in_hand.of_worker(worker), key=_urgency)
        return [task for task in tasks[1:] if not task.computing]

    def _load(self, worker: str) -> tuple[int, int]:
        tasks = self._in_hand.of_worker(worker)
        return len(tasks), max((task.priority for task in tasks), default=0)

    def _claim(self, worker: str) -> Claim | None:
        tasks = self._in_hand.of_worker(worker)
        if len(tasks) >= _MOST or any(task.claim.page.alone for task in tasks):
            return None
        return self._ledger.claim(
            worker=worker, idle=not tasks, above=self._above(tasks), held_keys=self._in_hand.held_keys
        )

    def _above(self, tasks: list[Task]) -> Priority | None:
        if not tasks or (len(tasks) < _WINDOW and not self._waits_alone()):
            return None
        return max(task.priority for task in tasks)

    def _waits_alone(self) -> bool:
        self._may_wait_alone = self._may_wait_alone and self._ledger.waits_alone()
        return self._may_wait_alone

    def _send(self, worker: str, claim: Claim) -> bool:
        task = self._in_hand.add(worker, claim)
        if self._crew.send(worker, self._start(task)):
            self._care.began(worker)
            return True
        self._in_hand.take(task.number)  # the worker is gone, and was not heard of yet
        self._owed.write(lambda: self._ledger.give_back(claim), {"job": task.job_id, "page": claim.page.id})
        return False

    def _start(self, task: Task) -> Start:
        job, page = task.claim.job, task.claim.page
        return Start(
            task=task.number,
            source=job.submission.source,
            name=page.name,
            recipe=job.submission.recipe,
            out_dir=self._storage.output_dir(job),
            targets=page.targets,
            device=job.submission.device,
            priority=job.submission.priority,
            log={"job": job.id, "page": page.name, "position": page.position},
        )


def _urgency(task: Task) -> tuple[int, int]:
    return -task.priority, task.number
