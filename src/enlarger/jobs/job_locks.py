"""A lock for each job: what is done to one job waits for no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


class JobLocks:
    """Locks by job, which are there only while somebody holds them or waits for them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @contextmanager
    def held(self, job_id: str) -> Iterator[None]:
        """Nobody else is at this job inside the block."""
        with self._guard:
            entry = self._entries.setdefault(job_id, _Entry())
            entry.users += 1
        try:
            with entry.lock:
                yield
        finally:
            with self._guard:
                entry.users -= 1
                if not entry.users:
                    del self._entries[job_id]
