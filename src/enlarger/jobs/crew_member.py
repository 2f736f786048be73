"""One worker process as its parent sees it: the pipe, the state, and what it has in hand."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psutil

from enlarger.jobs.protocol import (
    Done,
    Failed,
    FromWorker,
    GaveBack,
    Idle,
    OpenModel,
    Ready,
    Start,
    ToWorker,
)
from enlarger.jobs.spawning import start_spawned
from enlarger.jobs.worker import WorkerSetup, run_worker

State = Literal["starting", "idle", "busy", "draining"]


@dataclass(frozen=True)
class WorkerState:
    """How a worker is. `rss_bytes`: its memory now, 0 when unknown. `tasks`: in its hands. `started_at`: Unix seconds.

    models: what was open when it last had nothing to do. device: where pages are to be computed that name none.
    share: of how many equal parts of the cores and the memory it has one.
    """

    id: str
    pid: int
    state: State
    rss_bytes: int
    models: tuple[OpenModel, ...]
    tasks: tuple[int, ...]
    started_at: float
    device: str = "auto"
    share: int = 1


class CrewMember:
    """A process that was started, until `end`. Raises OSError where no process can be started.

    share: of how many equal parts of the cores it has one. failures: workers before it in its place that died
    without finishing a page.
    """

    def __init__(self, name: str, setup: WorkerSetup, share: int, failures: int, device: str = "auto") -> None:
        self.name = name
        self.share = share
        self.failures = failures
        self.device = device
        self.state: State = "starting"
        self.is_up = False
        self._models: tuple[OpenModel, ...] = ()
        self._tasks: dict[int, None] = {}
        self._started_at = time.time()
        self.pipe, theirs = multiprocessing.get_context("spawn").Pipe()
        try:
            self._process = start_spawned(run_worker, (theirs, setup, share, device), name)
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()
        self._pid = self._process.pid or 0

    @property
    def takes_work(self) -> bool:
        """Whether a page may be sent."""
        return self.is_up and self.state != "draining"

    def send(self, message: ToWorker) -> bool:
        """False when the process is gone."""
        try:
            self.pipe.send(message)
        except OSError:
            return False
        if isinstance(message, Start):
            self._tasks[message.task] = None
            self.state = "busy"
        return True

    def note(self, message: FromWorker) -> None:
        """Keep what the message says about the worker itself."""
        match message:
            case Ready():
                self.is_up = True
                self._rest()
            case Idle():
                self._models = message.models
            case Done() | Failed() | GaveBack():
                self._tasks.pop(message.task, None)
                self._rest()
            case _:
                pass
        if isinstance(message, Done):
            self.failures = 0

    def look(self) -> WorkerState:
        """Its state now."""
        return WorkerState(
            self.name,
            self._pid,
            self.state,
            self._rss_bytes(),
            self._models,
            tuple(self._tasks),
            self._started_at,
            self.device,
            self.share,
        )

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def end(self, patience_s: float) -> int:
        """Its exit code, minus a signal's number where one ended it; it is killed if it does not end by itself."""
        self.pipe.close()
        self._process.join(patience_s)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        exit_code = self._process.exitcode
        self._process.close()
        return exit_code or 0

    def _rest(self) -> None:
        if self.state != "draining":
            self.state = "busy" if self._tasks else "idle"

    def _rss_bytes(self) -> int:
        with suppress(psutil.Error):
            return int(psutil.Process(self._pid).memory_info().rss)
        return 0
