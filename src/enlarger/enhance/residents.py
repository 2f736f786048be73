"""Sessions kept open between pages: the least recently used is closed when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enlarger.runtimes import TROUBLES, Session

# device, variant, graph digest, tile, batch, precision, pixels, threads
SessionKey = tuple[str, str, str, tuple[int, int], int, str, str, int]

# A volume needs up to three tile shapes: planned, wide and narrow; twice two where a page goes through two networks.
# Double spreads and covers bring a few more. Each costs memory, most of it only while it runs.
MOST_OPEN = 4


@dataclass
class _Resident:
    session: Session
    users: int = 0
    is_lost: bool = False


class Residents:
    """Open sessions by what they are for. Used by one thread at a time, under its Enhancer's lock.

    A page may be interrupted by another between two tiles: a session in use is never closed, so that what was
    interrupted goes on with it. There can be more than `most_open` for as long as that takes.
    """

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._residents: OrderedDict[SessionKey, _Resident] = OrderedDict()
        self._users = 0

    @contextmanager
    def using(self, key: SessionKey, open_it: Callable[[], Session]) -> Iterator[Session]:
        """The open session for `key`, or a new one, after making room for it; it stays open inside the block."""
        resident = self._get(key, open_it)
        resident.users += 1
        self._users += 1
        try:
            yield resident.session
        finally:
            resident.users -= 1
            self._users -= 1
            if resident.is_lost and not resident.users:
                resident.session.close()

    @property
    def in_use(self) -> bool:
        """Whether a page that was interrupted, or is being computed, holds a session."""
        return self._users > 0

    def lose(self, runtime: str, device: str) -> None:
        """Nobody is given its sessions any more. One that an interrupted page holds is closed when that lets it go."""
        for key, resident in list(self._residents.items()):
            if (resident.session.spec.runtime, resident.session.spec.device) == (runtime, device):
                del self._residents[key]
                resident.is_lost = True
                if not resident.users:
                    resident.session.close()

    def rest(self) -> None:
        """Give back what only runs need; everything stays open."""
        for key in self._idle():
            self._residents[key].session.rest()

    def close_idle(self) -> None:
        """Give back the memory of all sessions not in use."""
        for key in self._idle():
            self._close(key)

    def open_sessions(self) -> dict[SessionKey, Session]:
        """What is open now, the least recently used first."""
        return {key: resident.session for key, resident in self._residents.items()}

    def _get(self, key: SessionKey, open_it: Callable[[], Session]) -> _Resident:
        if key != next(reversed(self._residents), None):
            self.rest()  # the tiles of one shape at a time are in memory, but for those of a page that was interrupted
        self._end_substitute(key)
        if key not in self._residents:
            self._make_room()
            self._residents[key] = _Resident(open_it())
        self._residents.move_to_end(key)
        return self._residents[key]

    def _end_substitute(self, key: SessionKey) -> None:
        """A session that stands in for a device in trouble is closed once that has passed: the device may be back."""
        resident = self._residents.get(key)
        why = None if resident is None or resident.users else resident.session.spec.fallback
        if why is not None and TROUBLES.passed(why):
            self._close(key)

    def _make_room(self) -> None:
        surplus = len(self._residents) + 1 - self._most_open
        for key in self._idle()[: max(surplus, 0)]:
            self._close(key)

    def _close(self, key: SessionKey) -> None:
        self._residents.pop(key).session.close()

    def _idle(self) -> list[SessionKey]:
        return [key for key, resident in self._residents.items() if not resident.users]
