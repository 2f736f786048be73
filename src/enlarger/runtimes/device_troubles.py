"""Devices that failed a moment ago, so that what comes next goes elsewhere and is told why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from enlarger.messages import Message

PAUSE_S = 600.0  # a driver that was reset, or a GPU that was plugged in again, is found after so long


class DeviceTroubles:
    """By runtime and device; thread-safe. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Message]] = {}

    def note(self, runtime: str, device: str, why: Message) -> None:
        """It failed now."""
        with self._lock:
            self._known[runtime, device] = (self._clock(), why)

    def of(self, runtime: str, device: str) -> Message | None:
        """Why it is better left alone; None where nothing is known, or it was long ago."""
        with self._lock:
            at, why = self._known.get((runtime, device), (0.0, None))
            if why is not None and self._clock() - at >= PAUSE_S:
                del self._known[runtime, device]
                return None
            return why

    def forget(self) -> None:
        """Try all of them again."""
        with self._lock:
            self._known.clear()


TROUBLES = DeviceTroubles()
"""Of this process."""
