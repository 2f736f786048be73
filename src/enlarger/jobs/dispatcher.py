"""The dispatcher: one thread between the ledger and the workers, which nothing that happens to a job may end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from enlarger.errors import DiskFullError, JobError, StorageError
from enlarger.jobs.answers import Answers
from enlarger.jobs.assigning import Assigning
from enlarger.jobs.chores import Chores
from enlarger.jobs.crew import Crew
from enlarger.jobs.disk_gate import DiskGate
from enlarger.jobs.failure import Failure
from enlarger.jobs.fetching import Fetching
from enlarger.jobs.in_hand import InHand
from enlarger.jobs.job import ALL, Job, JobState, Priority
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.listeners import JobListeners
from enlarger.jobs.model_watch import ModelWatch
from enlarger.jobs.owed_writes import OwedWrites
from enlarger.jobs.preparing import list_job, pack_job
from enlarger.jobs.protocol import FromCrew, Refresh, TileDone
from enlarger.jobs.pulls import Pulls, PullState
from enlarger.jobs.reserve import Reserve
from enlarger.jobs.storage_root import StorageRoot
from enlarger.jobs.weights import Weights
from enlarger.jobs.worker_care import CareLimits, WorkerCare
from enlarger.settings import Settings

_PAUSE_S = 0.2  # after something unforeseen, so that it is not repeated at full speed
_LISTINGS = 4  # at once: one folder on a slow disk must not keep the others waiting
_JOIN_S = 5.0
_AT_WORK = (JobState.QUEUED, JobState.RUNNING, JobState.PACKING)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often the dispatcher looks at what nobody tells it, in seconds."""

    look_s: float = 1.0
    sweep_s: float = 3600.0


@dataclass(frozen=True)
class _PackingToken:
    """Set when the server stops, or the job was cancelled."""

    stopping: threading.Event
    called_off: set[str]
    job_id: str

    def is_set(self) -> bool:
        return self.stopping.is_set() or self.job_id in self.called_off


class Dispatcher:
    """`start` and `stop` once; the other methods may be called from any thread and do not wait."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        crew: Crew,
        storage: StorageRoot,
        listeners: JobListeners,
        pulls: Pulls,
        weights: Weights,
        *,
        sweep: Callable[[], None] = lambda: None,
        pace: Pace = Pace(),
        limits: CareLimits | None = None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._crew = crew
        self._storage = storage
        self._sweep = sweep
        self._pace = pace
        self._in_hand = InHand()
        folders = (storage.root, settings.cache_dir)
        self._gate = DiskGate(folders, settings.min_free_bytes, Reserve(storage.reserve))
        self._owed = OwedWrites(self._gate)
        limits = limits or CareLimits(settings.worker_growth_bytes, settings.idle_unload_s)
        self._care = WorkerCare(crew, self._in_hand, limits)
        self._assigning = Assigning(ledger, crew, storage, self._in_hand, self._care, self._owed)
        self._answers = Answers(ledger, crew, self._in_hand, self._owed, self._gate, self._assigning, listeners)
        self._weights = weights
        self._fetching = Fetching(ledger, pulls, weights)
        self._models = ModelWatch(settings, storage)
        self._listing = Chores("listing", _LISTINGS, self.look)
        self._packing = Chores("packing", 1, self.look)
        self._sweeping = Chores("sweeping", 1, lambda: None)
        self._requests: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._news = threading.Event()  # the ledger, a worker or the disk changed: there may be work to give out
        self._arrivals = threading.Event()  # there may be jobs that can be listed now
        self._stopping = threading.Event()
        self._paused_for_room = True  # perhaps, by a server before this one
        self._discards: dict[str, Job] = {}
        self._called_off: set[str] = set()
        self._look_at = self._sweep_at = 0.0
        self._grace_s = 0.0
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        pulls.subscribe(self._hear_of_pull)

    def start(self) -> None:
        """Take back what an earlier server had in hand, and begin."""
        taken_back = self._ledger.recover()
        if taken_back:
            _log.info("taken back from an earlier server: %d pages", taken_back)
        self._crew.start(self._settings.workers, self._settings.worker_devices)
        self._thread.start()

    def stop(self, grace_s: float) -> None:
        """Pages in hand finish within so many seconds or go back; no worker is left."""
        self._grace_s = grace_s
        self._stopping.set()
        self._crew.wake()
        if self._thread.ident is not None:
            self._thread.join()
        else:
            self._crew.stop(0.0)

    # ---- from any thread ----

    def look(self) -> None:
        """Something changed: see whether there is work to give out."""
        self._arrivals.set()
        self._news.set()
        self._crew.wake()

    def release(self, job_id: str) -> None:
        """Call back the job's pages that are not being computed."""
        self._ask(partial(self._answers.release, job_id))

    def prioritise(self, job_id: str, priority: Priority) -> None:
        """Serve the job's pages that are in workers' hands with another priority."""
        self._ask(partial(self._answers.prioritise, job_id, priority))

    def stop_pages(self, job_id: str) -> None:
        """Stop the job's pages within a tile, and its packing."""
        if self._packing.is_at(job_id):
            self._called_off.add(job_id)
        self._ask(partial(self._answers.stop_pages, job_id))

    def forget(self, job: Job) -> None:
        """The job was deleted: should a worker still leave a file for it, that goes too."""
        self._ask(partial(self._discards.__setitem__, job.id, job))

    def refresh_models(self) -> None:
        """Models were added or removed."""
        self._ask(self._refresh)

    def use_devices(self, devices: Sequence[str]) -> None:
        """Workers compute on these from their next page on, those that name no device."""
        self._ask(partial(self._crew.use_devices, tuple(devices)))

    def _hear_of_pull(self, state: PullState) -> None:
        if state.phase == "done":
            self.refresh_models()
        elif state.has_ended:
            self.look()

    def _ask(self, request: Callable[[], object]) -> None:
        self._requests.put(request)
        self.look()

    # ---- the thread ----

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception:  # whatever it was, the jobs must go on
                _log.exception("the dispatcher stumbled")
                self._stopping.wait(_PAUSE_S)
        self._wind_down()

    def _turn(self) -> None:
        has_work = self._news.is_set() and not self._owed
        self._hear_all(self._crew.poll(0.0 if has_work else self._pace.look_s))
        self._do_requests()
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + self._pace.look_s
            self._look_around(now)
        if self._news.is_set() and not self._owed:
            self._news.clear()
            self._give_out() if self._gate.is_open else self._wait_for_room()

    def _hear_all(self, heard: list[tuple[str, FromCrew]]) -> None:
        for worker, message in heard:
            try:
                self._care.hear(worker, message)
                self._answers.hear(worker, message)
            except Exception:  # one answer that cannot be dealt with must not hide those behind it
                _log.exception("an answer was lost", extra={"worker": worker, "answer": type(message).__name__})
            if not isinstance(message, TileDone):  # the most frequent one, and it frees no place
                self._news.set()

    def _do_requests(self) -> None:
        while True:
            try:
                self._requests.get_nowait()()
            except Empty:
                return

    def _give_out(self) -> None:
        try:
            self._begin_chores()
            self._assigning.spread()
        except StorageError as error:
            self._note_full(error)

    def _begin_chores(self) -> None:
        if self._arrivals.is_set():  # not with each answer of a worker: a thousand may wait for one pull
            self._arrivals.clear()
            self._begin_listings()
        for job in self._ledger.packable():
            token = _PackingToken(self._stopping, self._called_off, job.id)
            pack = partial(pack_job, self._ledger, self._storage, job, self._settings, token)
            self._packing.begin(job.id, partial(self._with_room, job.id, pack))

    def _begin_listings(self) -> None:
        for job in self._fetching.ready(self._ledger.unlisted()):
            listing = partial(list_job, self._ledger, self._storage, job, self._settings)
            self._listing.begin(job.id, partial(self._with_room, job.id, listing))

    def _with_room(self, job_id: str, chore: Callable[[], object]) -> None:
        try:
            chore()
        except DiskFullError as error:
            self._ask(partial(self._gate.report_full, Failure.of(error)))
        finally:
            self._called_off.discard(job_id)

    # ---- now and then ----

    def _look_around(self, now: float) -> None:
        self._owed.settle()
        self._care.look()
        self._assigning.look()
        self._arrivals.set()
        self._news.set()
        if self._gate.look():
            self._resume_for_room()
        if self._models.has_changed():
            self._refresh()
        self._discard_deleted()
        if now >= self._sweep_at:
            self._sweep_at = now + self._pace.sweep_s
            self._sweeping.begin("hourly", self._sweep)

    def _refresh(self) -> None:
        self._weights.forget()
        for worker in self._care.present:
            self._crew.send(worker, Refresh())

    def _discard_deleted(self) -> None:
        for job in list(self._discards.values()):
            if self._in_hand.of_job(job.id) or self._packing.is_at(job.id):
                continue
            try:
                self._storage.discard(job)
                del self._discards[job.id]
            except StorageError as error:  # at the next look
                _log.warning("a deleted job's files stay: %s", error.text("en"), extra={"job": job.id})

    # ---- a full disk ----

    def _note_full(self, error: StorageError) -> None:
        _log.warning("the ledger cannot be written: %s", error.text("en"))
        if isinstance(error, DiskFullError):
            self._gate.report_full(Failure.of(error))

    def _wait_for_room(self) -> None:
        """Pause what has not ended, with the reason; nothing is charged."""
        self._paused_for_room = True
        self._fetching.ready([])
        try:
            stopped, _ = self._ledger.find(states=_AT_WORK, transient=True, limit=ALL)
            for job in stopped:
                if not self._packing.is_at(job.id):  # it may have room enough
                    self._gate.write(partial(self._ledger.pause, job.id, self._gate.reason))
                    _log.warning("paused until there is room on the disk", extra={"job": job.id})
        except (JobError, StorageError):  # it ended meanwhile, or even this cannot be written: at the next look
            pass
        for job_id in {task.job_id for task in self._in_hand}:
            self._answers.release(job_id)

    def _resume_for_room(self) -> None:
        if not self._paused_for_room:
            return
        try:
            for job in self._ledger.paused_for(DiskFullError.code):
                self._gate.write(partial(self._ledger.resume, job.id, paused_for=DiskFullError.code))
                _log.info("there is room on the disk again", extra={"job": job.id})
        except (JobError, StorageError):  # a person moved it meanwhile, or the room is gone: at the next look
            return
        self._paused_for_room = False

    # ---- the end ----

    def _wind_down(self) -> None:
        try:
            self._hear_all(self._crew.stop(self._grace_s))
            for task in self._in_hand:
                self._answers.give_back(task)
            self._owed.settle()
        except Exception:  # what is left in workers' hands is taken back at the next start
            _log.exception("the dispatcher could not end cleanly")
        for chores in (self._listing, self._packing, self._sweeping):
            chores.join(_JOIN_S)
