"""One at a time for each path: who waits, waits for the same book and for no other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PathLocks:
    """A lock for each path that somebody holds or waits for, and none for all others. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}
        self._users: Counter[Path] = Counter()

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Hold the path's lock inside the block."""
        with self._lock:
            own = self._locks.setdefault(path, threading.Lock())
            self._users[path] += 1
        try:
            with own:
                yield
        finally:
            with self._lock:
                self._users[path] -= 1
                if not self._users[path]:
                    del self._users[path], self._locks[path]

    def __len__(self) -> int:
        """How many paths have a lock just now."""
        with self._lock:
            return len(self._locks)
