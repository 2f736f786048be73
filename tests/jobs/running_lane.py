"""A lane whose thread runs in the test's own process, with the fake runtime, and what it says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_workers import PATIENCE_S, fake_enhancer

from enlarger.enhance import Enhancer, RenderCache
from enlarger.jobs.lane import Lane
from enlarger.jobs.lane_page import Step
from enlarger.jobs.protocol import Done, FromWorker
from enlarger.runtimes import FakeRuntime, Misfortune
from enlarger.settings import Settings


class Running:
    """A lane whose thread runs, what it said, and what happens at chosen tiles."""

    def __init__(self, settings: Settings, graph: Path) -> None:
        self.said: list[FromWorker] = []
        self.runtime = FakeRuntime(misfortune=Misfortune(delay_s=1e-9), sleep=self._at_tile)
        self.enhancer: Enhancer = fake_enhancer(settings, self.runtime, graph)
        self.cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
        self.lane = Lane(self.enhancer, self.cache, self._hear)
        self.on_message: Callable[[FromWorker], None] = lambda _message: None
        self.at: dict[int, Callable[[], None]] = {}
        self._changed = threading.Condition()
        self._calls = 0
        self._thread = threading.Thread(target=self.lane.run)
        self._thread.start()

    def until(self, *messages: Any) -> None:
        """Wait until something was said that equals each of `messages`, or is of that type."""
        with self._changed:
            assert self._changed.wait_for(lambda: all(map(self._has, messages)), PATIENCE_S), self.said

    def of(self, kind: type, task: int | None = None) -> list[Any]:
        return [m for m in self.said if isinstance(m, kind) and task in (None, getattr(m, "task", None))]

    def done(self, task: int) -> Any:
        self.until_task(Done, task)
        return self.of(Done, task)[0].result

    def until_task(self, kind: type, task: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.of(kind, task), PATIENCE_S), self.said

    def until_ready(self, task: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while self.lane._pages[task].step is not Step.READY:
            assert time.monotonic() < end
            time.sleep(0.001)

    def end(self) -> None:
        self.lane.finish()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _has(self, wanted: Any) -> bool:
        return any(isinstance(m, wanted) if isinstance(wanted, type) else m == wanted for m in self.said)

    def _hear(self, message: FromWorker) -> None:
        self.on_message(message)
        with self._changed:
            self.said.append(message)
            self._changed.notify_all()

    def _at_tile(self, _seconds: float) -> None:
        """Before the so-manieth tile is computed, from 1, those looked at for their averages among them."""
        self._calls += 1
        self.at.pop(self._calls, lambda: None)()
