"""Devices that failed a moment ago, so that what comes next goes elsewhere and is told why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from enlarger.messages import Message

PAUSE_S = 600.0  # a driver that was reset, or a GPU that was plugged in again, is found after so long
ANY_GRAPH = ""


class DeviceTroubles:
    """By runtime, device and network; thread-safe. `clock` in seconds.

    One network that fails says little of a device; when a second one does, it is left alone for all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], dict[str, tuple[float, Message]]] = {}

    def note(self, runtime: str, device: str, why: Message, *, graph: str = ANY_GRAPH) -> None:
        """It failed now, with the network of this digest."""
        with self._lock:
            self._known.setdefault((runtime, device), {})[graph] = (self._clock(), why)

    def of(self, runtime: str, device: str, graph: str = ANY_GRAPH) -> Message | None:
        """Why it is better left alone by this network; None where nothing is known, or it was long ago."""
        with self._lock:
            recent = self._recent(runtime, device)
        if graph in recent:
            return recent[graph]
        everyones = ANY_GRAPH in recent or len(recent) > 1
        return next(iter(recent.values())) if everyones else None

    def passed(self, why: Message) -> bool:
        """Whether this was a trouble, and is none any more."""
        with self._lock:
            times = [at for notes in self._known.values() for at, noted in notes.values() if noted == why]
        return bool(times) and self._clock() - max(times) >= PAUSE_S

    def _recent(self, runtime: str, device: str) -> dict[str, Message]:
        since = self._clock() - PAUSE_S
        return {graph: why for graph, (at, why) in self._known.get((runtime, device), {}).items() if at > since}

    def forget(self) -> None:
        """Try all of them again."""
        with self._lock:
            self._known.clear()


TROUBLES = DeviceTroubles()
"""Of this process."""
