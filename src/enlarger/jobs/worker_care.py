"""Looking after workers: who is ready, who is silent, who grew too large, who may close its models."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from enlarger.jobs.crew import Crew
from enlarger.jobs.in_hand import InHand
from enlarger.jobs.protocol import FromCrew, Idle, Ready, Unload, WorkerDied, WorkerLeft

_log = logging.getLogger(__name__)


@dataclass
class _Patient:
    heard_at: float
    rested_at: float  # since when it has had nothing in hand
    base_bytes: int = 0  # what it weighed when it first had nothing to do
    large_since: float | None = None
    is_weighed: bool = False  # it gets no work until it has nothing in hand, and says what it weighs
    is_unloaded: bool = False
    is_ending: bool = False


@dataclass(frozen=True)
class CareLimits:
    """When a worker is looked after. Seconds and bytes.

    silence_s: without a word while it has work, then it is killed. weigh_after_s: larger than allowed for so long,
    then it is weighed without work, since pages in hand weigh too.
    """

    growth_bytes: int
    idle_unload_s: float
    silence_s: float = 600.0
    weigh_after_s: float = 60.0


class WorkerCare:
    """Belongs to the dispatcher's thread."""

    def __init__(
        self, crew: Crew, in_hand: InHand, limits: CareLimits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._crew = crew
        self._in_hand = in_hand
        self._limits = limits
        self._clock = clock
        self._workers: dict[str, _Patient] = {}

    @property
    def ready(self) -> list[str]:
        """Workers that may be given work."""
        return [name for name, patient in self._workers.items() if not (patient.is_weighed or patient.is_ending)]

    @property
    def present(self) -> list[str]:
        """Workers that are up."""
        return list(self._workers)

    def hear(self, worker: str, message: FromCrew) -> None:
        """Note what any message says about the worker itself."""
        now = self._clock()
        if isinstance(message, Ready):
            self._workers[worker] = _Patient(now, now)
        elif isinstance(message, WorkerDied | WorkerLeft):
            self._workers.pop(worker, None)
        elif (patient := self._workers.get(worker)) is not None:
            patient.heard_at = patient.rested_at = now
            if isinstance(message, Idle):
                self._weigh(worker, patient, message.rss_bytes)

    def began(self, worker: str) -> None:
        """A page was sent: from now on the worker has something to say."""
        if (patient := self._workers.get(worker)) is not None:
            patient.is_unloaded = False
            if len(self._in_hand.of_worker(worker)) == 1:
                patient.heard_at = self._clock()

    def look(self) -> None:
        """End who is silent, let who rests close its models, find out who grew."""
        sizes = {state.id: state.rss_bytes for state in self._crew.states()}
        for worker, patient in list(self._workers.items()):
            if self._in_hand.of_worker(worker):
                self._look_at_busy(worker, patient, sizes.get(worker, 0))
            elif not patient.is_unloaded and self._clock() - patient.rested_at >= self._limits.idle_unload_s:
                patient.is_unloaded = self._crew.send(worker, Unload())

    def _look_at_busy(self, worker: str, patient: _Patient, rss_bytes: int) -> None:
        now = self._clock()
        if now - patient.heard_at > self._limits.silence_s and not patient.is_ending:
            _log.warning("a worker was silent for too long", extra={"worker": worker})
            patient.is_ending = True
            self._crew.kill(worker)
        if not patient.base_bytes or rss_bytes - patient.base_bytes <= self._limits.growth_bytes:
            patient.large_since = None
        elif patient.large_since is None:
            patient.large_since = now
        elif now - patient.large_since >= self._limits.weigh_after_s:
            patient.is_weighed = True

    def _weigh(self, worker: str, patient: _Patient, rss_bytes: int) -> None:
        patient.is_weighed = False
        patient.large_since = None
        if not patient.base_bytes:
            patient.base_bytes = rss_bytes
        if rss_bytes - patient.base_bytes <= self._limits.growth_bytes or self._in_hand.of_worker(worker):
            return
        _log.info("a worker grew too large and is replaced", extra={"worker": worker, "rss_bytes": rss_bytes})
        patient.is_ending = True
        self._crew.kill(worker)  # it has nothing in hand, and the crew puts another in its place
