"""Jobs without a disk or a worker: the room's face kept in a dictionary, and moved on by the test itself."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from enlarger.errors import EnlargerError, IllegalMoveError, InputError, UnknownJobError
from enlarger.jobs import (
    Artifact,
    Counts,
    Event,
    Failure,
    Job,
    JobSource,
    JobState,
    Page,
    PageResult,
    PageState,
    Pulls,
    StorageRoot,
    Submission,
)
from enlarger.messages import msg
from enlarger.models import load_catalog
from enlarger.settings import Settings

_FINAL = tuple(state for state in JobState if state.is_final)


class MemoryJobs:
    """What shells need of Jobs, with its errors, its events and its listeners."""

    devices = ("auto",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog = load_catalog()
        self.storage = StorageRoot.of(settings)
        self.pulls = Pulls(settings, self.catalog)
        self._listeners: list[Callable[[str, Mapping[str, Any] | None], None]] = []
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """As new; whoever listens goes on listening."""
        shutil.rmtree(self.storage.root, ignore_errors=True)
        self.storage.prepare()
        self.on_submit: Callable[[str], None] = lambda _job_id: None  # called in a thread of its own
        self.refuses: EnlargerError | Exception | None = None
        self._jobs: dict[str, Job] = {}
        self._pages: dict[str, list[Page]] = {}
        self._events: dict[str, list[Event]] = {}

    def start(self) -> None: ...

    def stop(self) -> None: ...

    # ---- Jobs ----

    def submit(self, submission: Submission) -> tuple[Job, bool]:
        if self.refuses is not None:
            raise self.refuses
        job = Job(submission.id or str(uuid4()), submission, JobState.QUEUED, Counts(), 0.0, 0.0)
        self._keep(job, "submitted")
        threading.Thread(target=self.on_submit, args=(job.id,), daemon=True).start()
        return self.get(job.id), True

    def get(self, job_id: str) -> Job:
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownJobError(msg("There is no job {job}.", job=job_id))
            return self._jobs[job_id]

    def find(
        self, *, states: Collection[JobState] = (), transient: bool = False, before: str = "", limit: int = 50, **_: Any
    ) -> tuple[list[Job], str]:
        if not (before or "0").isdecimal():
            raise InputError(msg("{before}: no such page.", before=before))
        newest = [job for job in reversed(self._jobs.values()) if transient or not job.submission.transient]
        found = [job for job in newest if not states or job.state in states][int(before or 0) :]
        return found[:limit], str(int(before or 0) + limit) if len(found) > limit else ""

    def pages(self, job_id: str, **_: Any) -> list[Page]:
        return self._pages.get(job_id, [])

    def events(self, job_id: str, after: int = 0, limit: int = 500) -> list[Event]:
        return [event for event in self._events.get(job_id, []) if event.number > after][:limit]

    def subscribe(self, listener: Callable[[str, Mapping[str, Any] | None], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def states(self) -> list[Any]:
        return []

    def totals(self) -> Mapping[JobState, int]:
        return Counter(job.state for job in list(self._jobs.values()))

    def resume(self, job_id: str) -> Job:
        return self._move(job_id, (JobState.PAUSED,), JobState.QUEUED, "resumed", reason=None)

    def cancel(self, job_id: str) -> Job:
        legal = [state for state in JobState if state not in _FINAL]
        return self._move(job_id, legal, JobState.CANCELLED, "cancelled")

    def retry(self, job_id: str, source: JobSource | None = None) -> Job:
        job = self.get(job_id)
        submission = job.submission if source is None else replace(job.submission, source=source)
        counts = replace(job.counts, failed=0, cancelled=0)
        again = {"submission": submission, "counts": counts, "retries": job.retries + 1, "reason": None}
        return self._move(job_id, _FINAL, JobState.QUEUED, "retried", **again)

    def delete(self, job_id: str) -> None:
        if self.get(job_id).state not in _FINAL:
            raise IllegalMoveError(msg("The job runs."), msg("Cancel it first."))
        self.storage.discard(self.get(job_id))
        del self._jobs[job_id]
        self._tell(job_id)

    def output_path(self, page: Page) -> Path:
        return self.storage.output_path(self.get(page.job_id), page)

    def artifact_path(self, job: Job) -> Path:
        return self.storage.artifact_file(job)

    # ---- the test's hands ----

    def move(self, job_id: str, state: JobState, event: str, **changes: Any) -> Job:
        """Another state, as a dispatcher would write it."""
        return self._move(job_id, tuple(JobState), state, event, **changes)

    def count(self, job_id: str, done: int, total: int, failed: int = 0) -> Job:
        """A page more is done."""
        return self.move(job_id, JobState.RUNNING, "page_done", counts=Counts(total, done, failed))

    def pack(self, job_id: str, data: bytes, sha256: str, *, state: JobState = JobState.DONE, **changes: Any) -> Job:
        """The artifact lies in its place and the job is done."""
        path = self.storage.artifact_file(self.get(job_id))
        path.write_bytes(data)
        artifact = Artifact(self.storage.relative(path), sha256, len(data))
        return self.move(job_id, state, state.value, artifact=artifact, **changes)

    def render(self, job_id: str, name: str, data: bytes | None, *, computed: bool = True) -> None:
        """The only page of a transient job is done; without data its file got lost."""
        result = PageResult(name, "", "", 0, "key", 0.0, computed, {})
        self._pages[job_id] = [Page(1, job_id, 0, "image", {}, PageState.DONE, result=result)]
        if data is not None:
            path = self.output_path(self._pages[job_id][0])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.move(job_id, JobState.DONE, "done", counts=Counts(1, 1))

    def fail(self, job_id: str, failure: Failure, *, listed: bool = False) -> None:
        """The job fails before it has pages; listed: when it had its only one, which waits no more."""
        if listed:
            self._pages[job_id] = [Page(1, job_id, 0, "image", {}, PageState.CANCELLED)]
        self.move(job_id, JobState.FAILED, "failed", reason=failure)

    def _move(self, job_id: str, legal: Collection[JobState], state: JobState, event: str, **changes: Any) -> Job:
        with self._lock:
            job = self.get(job_id)
            if job.state not in legal:
                raise IllegalMoveError(msg("Not from {state}.", state=job.state.value))
            self._keep(replace(job, state=state, **changes), event)
            return self.get(job_id)

    def _keep(self, job: Job, event: str) -> None:
        with self._lock:
            number, counts = job.last_event + 1, job.counts
            data = {"state": job.state.value, "total": counts.total, "done": counts.done}
            data |= {"failed": counts.failed, "cancelled": counts.cancelled}
            self._jobs[job.id] = replace(job, last_event=number)
            self._events.setdefault(job.id, []).append(Event(job.id, number, 0.0, event, data))
        self._tell(job.id)

    def _tell(self, job_id: str) -> None:
        for listener in list(self._listeners):
            listener(job_id, None)
