"""What the workers have in hand: pages under way, the keys they compute, and which pages wait for those keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count

from enlarger.jobs.job import Claim, Priority


@dataclass
class Task:
    """A page in a worker's hands.

    own: its job's priority. priority: what it is served with, lent by a page that waits for it where that is higher.
    key: its render's, once the page is prepared and has to be computed. computing: a tile of it is done.
    awaits: another task computes this key, so the page was called back.
    """

    number: int
    worker: str
    claim: Claim
    own: Priority
    priority: Priority
    key: str = ""
    computing: bool = False
    awaits: str = ""

    @property
    def job_id(self) -> str:
        """The job that the page belongs to."""
        return self.claim.job.id


@dataclass
class _Waiting:
    job_id: str
    priority: Priority


class InHand:
    """All tasks of all workers. Belongs to the dispatcher's thread."""

    def __init__(self) -> None:
        self._tasks: dict[int, Task] = {}
        self._holders: dict[str, int] = {}
        self._waiting: dict[str, dict[int, _Waiting]] = {}  # by key and page's id
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(list(self._tasks.values()))

    def add(self, worker: str, claim: Claim) -> Task:
        """A page goes to a worker."""
        priority = claim.job.submission.priority
        task = Task(next(self._numbers), worker, claim, priority, priority)
        self._tasks[task.number] = task
        return task

    def get(self, number: int) -> Task | None:
        """The task, if it is still in hand."""
        return self._tasks.get(number)

    def take(self, number: int) -> Task | None:
        """The task, which ends here: whoever waits for its key need not any more."""
        task = self._tasks.pop(number, None)
        if task is not None and self._holders.get(task.key) == number:
            del self._holders[task.key]
            self._waiting.pop(task.key, None)
        return task

    def of_worker(self, worker: str) -> list[Task]:
        """In the order in which they were given."""
        return [task for task in self._tasks.values() if task.worker == worker]

    def of_job(self, job_id: str) -> list[Task]:
        """In the order in which they were given."""
        return [task for task in self._tasks.values() if task.job_id == job_id]

    # ---- keys ----

    @property
    def held_keys(self) -> set[str]:
        """What is being computed, or is about to be."""
        return set(self._holders)

    def hold(self, task: Task, key: str) -> Task | None:
        """`task` would compute `key`: the task to be called back, because another computes it, or None.

        It is the newcomer, unless that is wanted sooner and the other has not begun.
        """
        task.key = key
        holder = self._tasks.get(self._holders.get(key, 0))
        if holder is None or holder is task:
            self._holders[key] = task.number
            return None
        if task.priority > holder.priority and not holder.computing:
            self._holders[key] = task.number
            task, holder = holder, task
        task.awaits = key
        self.wait_for(key, task)
        return task

    def wait_for(self, key: str, task: Task) -> None:
        """The task's page waits until the key's holder has ended."""
        if key in self._holders:
            self._waiting.setdefault(key, {})[task.claim.page.id] = _Waiting(task.job_id, task.own)

    def forget_waiting(self, job_id: str) -> None:
        """The job's pages wait for nothing any more: it was cancelled."""
        for pages in self._waiting.values():
            for page in [page for page, waiting in pages.items() if waiting.job_id == job_id]:
                del pages[page]

    def is_awaited(self, task: Task) -> bool:
        """Whether another job's page waits for what the task computes."""
        return any(waiting.job_id != task.job_id for waiting in self._waiting_for(task))

    def _waiting_for(self, task: Task) -> Collection[_Waiting]:
        holds = self._holders.get(task.key) == task.number
        return self._waiting.get(task.key, {}).values() if holds else ()

    # ---- who goes first ----

    def prioritise(self, job_id: str, priority: Priority) -> None:
        """The job's pages, in hand and waiting for others, are served with another priority."""
        for task in self.of_job(job_id):
            task.own = priority
        for pages in self._waiting.values():
            for waiting in pages.values():
                if waiting.job_id == job_id:
                    waiting.priority = priority

    def lend(self) -> list[Task]:
        """Let each task be served with the highest priority of those that wait for it; the tasks that this changed."""
        changed = []
        for task in self:
            priority = max([task.own, *(waiting.priority for waiting in self._waiting_for(task))])
            if priority != task.priority:
                task.priority = priority
                changed.append(task)
        return changed
