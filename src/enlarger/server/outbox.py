"""Messages on their way to one client: the newest of a kind only, never more than so many, whoever reads slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

_MOST_NEWS = 500
_MOST_IN_ORDER = 64


class Outbox:
    """What one client has not been sent yet. Used in the event loop only.

    News has a key, and replaces what is still there under it. Beyond `most_news` all of it makes way for one
    `resync`: the client then reads anew what it shows. What has to come whole and in order waits for room instead.
    """

    def __init__(self, resync: str, *, most_news: int = _MOST_NEWS, most_in_order: int = _MOST_IN_ORDER) -> None:
        self._resync = resync
        self._most_news, self._most_in_order = most_news, most_in_order
        self._waiting: dict[Hashable, str] = {}
        self._in_order = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, key: Hashable, text: str) -> None:
        """News about `key`: whatever was said of it before is old."""
        if key not in self._waiting and len(self._waiting) - self._in_order >= self._most_news:
            self.resync()
        else:
            self._waiting[key] = text
            self._filled.set()

    def resync(self) -> None:
        """Let go of the news, and have the client read anew."""
        self._waiting = {key: text for key, text in self._waiting.items() if isinstance(key, _Place)}
        self._waiting["resync"] = self._resync
        self._filled.set()

    async def put_in_order(self, text: str) -> None:
        """A message that must not be left out; waits while too many of its kind do."""
        while self._in_order >= self._most_in_order:
            self._room.clear()
            await self._room.wait()
        self._in_order += 1
        self._waiting[_Place()] = text
        self._filled.set()

    async def get(self) -> str:
        """The next message; waits until there is one."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._waiting))
        text = self._waiting.pop(key)
        if isinstance(key, _Place):
            self._in_order -= 1
            self._room.set()
        return text


class _Place:
    """The key of a message that stands for itself."""
