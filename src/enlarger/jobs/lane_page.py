"""A page on its way through a worker's lane: how far it is, and what it has got so far."""

from __future__ import annotations

import threading
from enum import Enum, auto
from pathlib import Path

from enlarger.enhance import Prepared, Rendering
from enlarger.jobs.protocol import GiveBackReason, Start


class Step(Enum):
    """Where a page is. WAITING: for the decoder. READY: decoded, for the model. COMPUTING: or interrupted meanwhile."""

    WAITING = auto()
    DECODING = auto()
    READY = auto()
    COMPUTING = auto()
    ENCODING = auto()

    @property
    def is_in_work(self) -> bool:
        """Whether its render is being made."""
        return self in (Step.COMPUTING, Step.ENCODING)


class LanePage:
    """One Start and what became of it. `step`, `priority` and `called_back` change under the lane's lock."""

    def __init__(self, start: Start, order: int) -> None:
        self.start = start
        self.step = Step.WAITING
        self.priority = start.priority  # the higher goes first
        self.cancelled = threading.Event()
        self.called_back: GiveBackReason | None = None
        self.needs_all_memory = False
        self.seconds = 0.0  # of work on this page alone
        self.away_s = 0.0  # computing others that interrupted it
        self.share = 0.0
        self._order = order
        self._rendering: Rendering | None = None
        self._prepared: Prepared | None = None

    @property
    def task(self) -> int:
        """The number its sender knows it by."""
        return self.start.task

    def urgency(self) -> tuple[int, int]:
        """The smallest goes first: by priority, then as they came."""
        return -self.priority, self._order

    @property
    def rendering(self) -> Rendering:
        """The road it takes; there since it is being decoded."""
        assert self._rendering is not None
        return self._rendering

    @property
    def prepared(self) -> Prepared:
        """The page as decoded; there from READY on."""
        assert self._prepared is not None
        return self._prepared

    def set_rendering(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def set_prepared(self, prepared: Prepared) -> None:
        self._prepared = prepared

    def let_go_of_picture(self) -> None:
        """Its pixels are not needed any more."""
        self._prepared = self.prepared.without_picture()

    def call_back(self, reason: GiveBackReason) -> bool:
        """Note that it is not wanted; True where it only waits, so that it can be given back at once."""
        if self.called_back != "cancelled":
            self.called_back = reason
        if reason == "cancelled":
            self.cancelled.set()
        return self.step in (Step.WAITING, Step.READY)

    def target(self, suffix: str) -> Path:
        """Where its output goes."""
        return self.start.out_dir / self.start.targets[suffix]
