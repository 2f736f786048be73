"""One thread that does what is most urgent first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from queue import PriorityQueue
from sys import maxsize

_LAST = -maxsize


class Turns:
    """Work by priority, the highest first, in the order of arrival within one. The thread ends with `close`."""

    def __init__(self, name: str) -> None:
        self._queue: PriorityQueue[tuple[int, int, Callable[[], None] | None]] = PriorityQueue()
        self._numbers = count()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, priority: int, work: Callable[[], None]) -> None:
        """Do `work` when its turn comes."""
        self._queue.put((-priority, next(self._numbers), work))

    def close(self) -> None:
        """Return when everything put before is done."""
        self._queue.put((-_LAST, next(self._numbers), None))
        self._thread.join()

    def _run(self) -> None:
        while (work := self._queue.get()[2]) is not None:
            work()
            del work  # it may hold a picture, and the next may be long in coming
