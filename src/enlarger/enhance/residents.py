"""Sessions kept open between pages: the least recently used is closed when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from enlarger.runtimes import Session

SessionKey = tuple[str, tuple[int, int], str]  # graph digest, tile, precision

# A volume needs one or two tile shapes; double spreads and covers bring a few more. Each costs its tile's memory.
MOST_OPEN = 3


class Residents:
    """Open sessions by what they are for. Owned by one Enhancer, used under its lock."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._sessions: OrderedDict[SessionKey, Session] = OrderedDict()

    def get(self, key: SessionKey, open_it: Callable[[], Session]) -> Session:
        """The open session for `key`, or a new one, after making room for it."""
        if key in self._sessions:
            self._sessions.move_to_end(key)
            return self._sessions[key]
        while len(self._sessions) >= self._most_open:
            self._sessions.popitem(last=False)[1].close()
        self._sessions[key] = open_it()
        return self._sessions[key]

    def close_all(self) -> None:
        """Give all memory back; the next page opens anew."""
        while self._sessions:
            self._sessions.popitem()[1].close()
