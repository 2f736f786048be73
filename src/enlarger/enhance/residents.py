"""Sessions kept open between pages: the least recently used is closed when there are too many."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from enlarger.runtimes import TROUBLES, Session

# device, variant, graph digest, tile, batch, precision, pixels
SessionKey = tuple[str, str, str, tuple[int, int], int, str, str, int]

# A volume needs up to three tile shapes: planned, wide and narrow; twice two where a page goes through two networks.
# Double spreads and covers bring a few more. Each costs memory, most of it only while it runs.
MOST_OPEN = 4


class Residents:
    """Open sessions by what they are for. Used by one thread at a time, under its Enhancer's lock.

    A page may be interrupted by another between two tiles: a session in use is never closed, so that what was
    interrupted goes on with it. There can be more than `most_open` for as long as that takes.
    """

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._sessions: OrderedDict[SessionKey, Session] = OrderedDict()
        self._users: Counter[SessionKey] = Counter()

    @contextmanager
    def using(self, key: SessionKey, open_it: Callable[[], Session]) -> Iterator[Session]:
        """The open session for `key`, or a new one, after making room for it; it stays open inside the block."""
        session = self._get(key, open_it)
        self._users[key] += 1
        try:
            yield session
        finally:
            self._users -= Counter((key,))  # subtracting drops what reaches 0

    @property
    def in_use(self) -> bool:
        """Whether a page that was interrupted, or is being computed, holds a session."""
        return bool(self._users)

    def rest(self) -> None:
        """Give back what only runs need; everything stays open."""
        for key in self._idle():
            self._sessions[key].rest()

    def close_idle(self) -> None:
        """Give back the memory of all sessions not in use."""
        for key in self._idle():
            self._sessions.pop(key).close()

    def open_sessions(self) -> dict[SessionKey, Session]:
        """What is open now, the least recently used first."""
        return dict(self._sessions)

    def _get(self, key: SessionKey, open_it: Callable[[], Session]) -> Session:
        if key != next(reversed(self._sessions), None):
            self.rest()  # the tiles of one shape at a time are in memory, but for those of a page that was interrupted
        self._end_substitute(key)
        if key not in self._sessions:
            self._make_room()
            self._sessions[key] = open_it()
        self._sessions.move_to_end(key)
        return self._sessions[key]

    def _end_substitute(self, key: SessionKey) -> None:
        """A session that stands in for a device in trouble is closed once that has passed: the device may be back."""
        session = None if key in self._users else self._sessions.get(key)
        why = None if session is None else session.spec.fallback
        if why is not None and TROUBLES.passed(why):
            self._sessions.pop(key).close()

    def _make_room(self) -> None:
        surplus = len(self._sessions) + 1 - self._most_open
        for key in self._idle()[: max(surplus, 0)]:
            self._sessions.pop(key).close()

    def _idle(self) -> list[SessionKey]:
        return [key for key in self._sessions if key not in self._users]
