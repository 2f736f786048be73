"""The doors out of the event loop: whatever may block runs in one of a few threads, what may block long in others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most so many threads at once, of every event loop; a burst waits here."""

    def __init__(self, name: str, most: int) -> None:
        self._most = most
        self._limiter: RunVar[CapacityLimiter] = RunVar(name)

    async def run(self, function: Callable[[], T], *, abandon: bool = False) -> T:
        """What the function returns or raises. abandon: whoever is cancelled while he waits goes, it runs on."""
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=abandon, limiter=self._of_this_loop())

    def _of_this_loop(self) -> CapacityLimiter:
        try:
            return self._limiter.get()
        except LookupError:
            self._limiter.set(CapacityLimiter(self._most))
            return self._limiter.get()


_SERVERS = Threads("enlarger_server_threads", 16)
_BOOKS = Threads("enlarger_book_threads", 8)
_SMALL = Threads("enlarger_small_threads", 4)
_DEVICES = Threads("enlarger_device_threads", 8)


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`function(*args, **kwargs)` in one of the server's threads."""
    return await _SERVERS.run(partial(function, *args, **kwargs))


async def in_book_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may wait for an archive to be unpacked: page turns are never behind it."""
    return await _BOOKS.run(partial(function, *args, **kwargs))


async def in_small_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for thumbnails and covers, of which a shelf asks for a hundred at once: pages are never behind them."""
    return await _SMALL.run(partial(function, *args, **kwargs))


async def in_device_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may look for devices: a broken driver makes all who ask wait for minutes, and nobody else."""
    return await _DEVICES.run(partial(function, *args, **kwargs))
