"""Slow work beside the dispatcher, listing and packing and sweeping: each kind on a few threads of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Chores:
    """At most `most` at once, never two with one key. `done` is called after each that went well, from its thread.

    Daemon threads: one that hangs on a dead disk must not keep the process alive.
    """

    def __init__(self, name: str, most: int, done: Callable[[], None]) -> None:
        self._name = name
        self._most = most
        self._done = done
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}

    def begin(self, key: str, action: Callable[[], object]) -> bool:
        """Run it on a thread; False where that is being done, or all hands are full: ask again later."""
        with self._lock:
            if key in self._running or len(self._running) >= self._most:
                return False
            thread = threading.Thread(target=self._run, args=(key, action), name=f"{self._name}-{key}", daemon=True)
            self._running[key] = thread
            thread.start()
        return True

    def is_at(self, key: str) -> bool:
        """Whether it is being done just now."""
        with self._lock:
            return key in self._running

    def join(self, timeout_s: float) -> None:
        """Wait until all are done, or for so long."""
        end = time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._running.values())
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, key: str, action: Callable[[], object]) -> None:
        well = False
        try:
            action()
            well = True
        except Exception:  # a chore meets foreign libraries and disks; it is begun again at the next look
            _log.exception("%s failed", self._name, extra={"job": key})
        finally:
            with self._lock:
                del self._running[key]
        if well:
            self._done()
