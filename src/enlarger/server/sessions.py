"""Browsers' sessions: a random name in a cookie instead of the token, forgotten after a while."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

COOKIE = "enlarger_session"
LIFETIME_S = 30 * 24 * 3600
_MOST = 1000


class Sessions:
    """Open sessions, in memory: a restart of the server ends them all. Used from the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: dict[bytes, float] = {}  # by digest: neither a dump nor timing tells a cookie

    def open(self) -> str:
        """A new session's secret name; the oldest session goes when there are too many."""
        self._forget()
        while len(self._ends) >= _MOST:
            del self._ends[next(iter(self._ends))]
        name = secrets.token_urlsafe(32)
        self._ends[_digest(name)] = self._clock() + LIFETIME_S
        return name

    def is_open(self, name: str) -> bool:
        """Whether the session was opened here, and neither closed nor outlived."""
        return bool(name) and self._ends.get(_digest(name), 0.0) > self._clock()

    def close(self, name: str) -> None:
        """End the session; an unknown one is no error."""
        self._ends.pop(_digest(name), None)

    def _forget(self) -> None:
        now = self._clock()
        self._ends = {name: end for name, end in self._ends.items() if end > now}


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
