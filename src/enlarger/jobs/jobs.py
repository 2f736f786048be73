"""The room's face: jobs are submitted, watched, steered and fetched here, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from enlarger.cancel import CancelToken, check
from enlarger.enhance import make_recipe
from enlarger.errors import EnlargerError, RecipeError, UnknownJobError
from enlarger.jobs.crew import ANY_DEVICE, Crew
from enlarger.jobs.crew_member import WorkerState
from enlarger.jobs.dispatcher import Dispatcher
from enlarger.jobs.job import ALL, Event, Job, JobSource, JobState, Page, PageState, Priority, Submission
from enlarger.jobs.job_locks import JobLocks
from enlarger.jobs.ledger import open_ledger
from enlarger.jobs.listeners import JobListeners, Listener, Listeners
from enlarger.jobs.listing import named_pages
from enlarger.jobs.lost_pages import lost_pages
from enlarger.jobs.pulls import Fetch, Pulls
from enlarger.jobs.report import build_report
from enlarger.jobs.retention import delete_expired
from enlarger.jobs.schema import UNFINISHED
from enlarger.jobs.storage_root import StorageRoot
from enlarger.jobs.weights import Weights
from enlarger.jobs.worker import WorkerSetup
from enlarger.messages import msg
from enlarger.models import Catalog, fetch, load_catalog
from enlarger.runtimes import devices_named, is_fake, list_devices_apart
from enlarger.settings import Settings

_POLL_S = 0.2


class Jobs:
    """All jobs of one storage root. A context manager; thread-safe; every call may wait for the disk.

    Opening raises StorageError when another server has the root, or the ledger cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        crew: Crew | None = None,
        catalog: Catalog | None = None,
        fetch: Fetch = fetch,
        prepare_worker: str = "",
    ) -> None:
        """`prepare_worker`: what each worker calls first, as `WorkerSetup.prepare`. fetch: what brings weights."""
        self._settings = settings = settings.for_server()  # workers look for weights there too
        self._catalog = catalog or load_catalog(settings)
        self._pulls = Pulls(settings, self._catalog, fetch=fetch)
        self._weights = Weights(settings, self._catalog)
        self._storage = StorageRoot.of(settings)
        self._listeners: JobListeners = Listeners()
        self._moves = JobLocks()  # no files of a job go while its state changes
        self._devices = settings.worker_devices
        self._changed = threading.Condition()
        self._commits = 0
        with ExitStack() as stack:
            stack.enter_context(self._storage.held())
            self._storage.prepare()
            self._ledger = open_ledger(self._storage.ledger)
            stack.callback(self._ledger.close)
            self._crew = crew or Crew(WorkerSetup(settings, prepare=prepare_worker))
            self._dispatcher = Dispatcher(
                settings,
                self._ledger,
                self._crew,
                self._storage,
                self._listeners,
                self._pulls,
                self._weights,
                sweep=self._sweep,
            )
            self._ledger.on_commit.append(self._committed)
            self._open = stack.pop_all()

    @property
    def settings(self) -> Settings:
        """What the jobs run under."""
        return self._settings

    @property
    def catalog(self) -> Catalog:
        """The models that recipes may name."""
        return self._catalog

    @property
    def pulls(self) -> Pulls:
        """Weights on their way: for jobs that lack them, and for who asks here."""
        return self._pulls

    @property
    def storage(self) -> StorageRoot:
        """Where sources and results lie."""
        return self._storage

    def start(self) -> None:
        """Take up what an earlier server left, and begin to work."""
        unfinished, _ = self._ledger.find(states=UNFINISHED, transient=True, limit=ALL)
        self._storage.sweep(unfinished, self._is_known)
        self._dispatcher.start()
        self._pull_preloaded()

    def stop(self, *, grace_s: float = 10.0) -> None:
        """Pages in hand finish within `grace_s` seconds or go back, uncharged. Nothing can be asked afterwards."""
        self._dispatcher.stop(grace_s)
        self._pulls.close()
        self._open.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    # ---- in and about ----

    def submit(self, submission: Submission) -> tuple[Job, bool]:
        """Accept a job, durable on return: (job, whether it is new).

        The same owner, idempotency key and request give the same job. Raises IdempotencyError when the request
        differs, QueueFullError when too much waits, StorageError. Pages asked for by name can be claimed at once,
        unless weights are to be fetched: their source is not opened here. InputError when a link leads it out of its
        folders.
        """
        pages = named_pages(submission)
        if pages:
            self._storage.check_links(submission.source.path)
        if pages and self._weights.lacking(submission.recipe):
            pages = []
        return self._ledger.submit(submission, most_waiting=self._settings.max_waiting_jobs, pages=pages)

    def get(self, job_id: str) -> Job:
        """Raises UnknownJobError."""
        return self._ledger.get(job_id)

    def find(
        self,
        *,
        states: Collection[JobState] = (),
        text: str = "",
        transient: bool = False,
        before: str = "",
        limit: int = 50,
    ) -> tuple[list[Job], str]:
        """Jobs, newest first, and the cursor that `before` takes for the next ones ("": these are the last)."""
        return self._ledger.find(states=states, text=text, transient=transient, before=before, limit=limit)

    def page(self, job_id: str, position: int) -> Page:
        """Raises UnknownJobError when there is no such page."""
        return self._ledger.page(job_id, position)

    def pages(
        self, job_id: str, *, states: Collection[PageState] = (), after: int = -1, limit: int = 1000
    ) -> list[Page]:
        """Pages in reading order, beginning behind position `after`."""
        return self._ledger.pages(job_id, states=states, after=after, limit=limit)

    def events(self, job_id: str, after: int = 0, limit: int = 500) -> list[Event]:
        """What happened to the job behind event number `after`."""
        return self._ledger.events(job_id, after, limit)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """`listener(job_id, None)` after each commit; `listener(job_id, {"page", "position", "share"})` after tiles.

        It is called from other threads and must not block. What is returned ends it.
        """
        return self._listeners.add(listener)

    def wait(self, job_id: str, timeout_s: float, cancel: CancelToken | None = None) -> Job:
        """The job once it is final, or as it is after `timeout_s` seconds. Raises CancelledError, UnknownJobError."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._changed:
                commits = self._commits
            job = self.get(job_id)
            left_s = deadline - time.monotonic()
            if job.state.is_final or left_s <= 0:
                return job
            check(cancel)
            with self._changed:
                if commits == self._commits:
                    self._changed.wait(min(left_s, _POLL_S))

    def states(self) -> list[WorkerState]:
        """The workers, and what each has in hand and keeps open."""
        return self._crew.states()

    def totals(self) -> Mapping[JobState, int]:
        """How many jobs are in which state."""
        return self._ledger.totals()

    # ---- moves: each raises UnknownJobError, and IllegalMoveError where the state does not allow it ----

    def pause(self, job_id: str) -> Job:
        """No page begins any more; the one being computed is finished, those behind it go back.

        A job that waits for room on the disk does not go on by itself any more.
        """
        with self._moves.held(job_id):
            job = self._ledger.pause(job_id)
        self._dispatcher.release(job_id)
        return job

    def resume(self, job_id: str) -> Job:
        """Go on where it was paused."""
        with self._moves.held(job_id):
            return self._ledger.resume(job_id)

    def cancel(self, job_id: str) -> Job:
        """Stop within a tile; finished pages stay."""
        with self._moves.held(job_id):
            job = self._ledger.cancel(job_id)
        self._dispatcher.stop_pages(job_id)
        return job

    def retry(self, job_id: str, source: JobSource | None = None) -> Job:
        """Back to work with the pages that failed or were cancelled, from another source where one is given.

        Finished pages whose files were lost since are made again too.
        """
        with self._moves.held(job_id):
            job = self.get(job_id)
            done = self.pages(job_id, states=[PageState.DONE], limit=ALL) if job.state.is_final else []
            return self._ledger.retry(job_id, source, lost=lost_pages(job, done, self._storage))

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """Serve it sooner or later than it was submitted for; pages that are in a worker's hands too."""
        with self._moves.held(job_id):
            job = self._ledger.prioritise(job_id, priority)
            self._dispatcher.prioritise(job_id, priority)  # in here, so that two changes arrive in their order
        return job

    def delete(self, job_id: str) -> None:
        """Take the job away with its pages, artifact and uploads; raises IllegalMoveError while it is at work."""
        with self._moves.held(job_id):
            job = self._ledger.get(job_id)
            if job.state.is_final:  # files first: if this is cut short, the job is still there to be deleted
                self._storage.discard(job)
            self._ledger.delete(job_id)
        self._dispatcher.forget(job)  # what a worker still leaves goes too

    @property
    def devices(self) -> tuple[str, ...]:
        """What the workers' devices were set to last: "auto", or names dealt out to them in turn."""
        return self._devices

    def use_devices(self, devices: Sequence[str]) -> None:
        """Deal the workers out to these from their next page on, until the server ends; a worker each at least.

        Raises RuntimeFailedError for one that is not here, RecipeError for none.
        """
        if not devices:
            raise RecipeError(msg("No device is named."), msg("Name at least one; auto is the fastest."))
        for name in devices:
            if name != ANY_DEVICE and not is_fake(name):  # which is always here, and shares no render with others
                devices_named(name, list_devices_apart(self._settings))
        self._devices = tuple(devices)
        self._dispatcher.use_devices(self._devices)

    def refresh_models(self) -> None:
        """Models were added or removed: workers see them at their next page."""
        self._dispatcher.refresh_models()

    # ---- results ----

    def output_path(self, page: Page) -> Path:
        """The file of a finished page; raises InputError while it is not."""
        return self._storage.output_path(self.get(page.job_id), page)

    def artifact_path(self, job: Job) -> Path:
        """The file that the job's archive has, or will have."""
        return self._storage.artifact_file(job)

    def report(self, job_id: str) -> dict[str, Any]:
        """What `artifact-report.json` says, as the job stands now."""
        job = self.get(job_id)
        pages: Sequence[Page] = self.pages(job_id, limit=ALL)
        return build_report(job, pages, output_dir=self._storage.relative(self._storage.output_dir(job)))

    def _pull_preloaded(self) -> None:
        for name in self._settings.preloaded_models:
            with suppress(EnlargerError):  # the workers, which open it, say what is wrong with it
                if self._weights.lacking(make_recipe(self._catalog, model=name)):
                    self._pulls.start(name)

    def _is_known(self, job_id: str) -> bool:
        try:
            self.get(job_id)
        except UnknownJobError:
            return False
        return True

    def _sweep(self) -> None:
        delete_expired(self._ledger, self._settings, self.delete)

    def _committed(self, job_id: str) -> None:
        self._dispatcher.look()
        self._listeners.tell(job_id, None)
        with self._changed:
            self._commits += 1
            self._changed.notify_all()
