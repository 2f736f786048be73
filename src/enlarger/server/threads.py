"""The door out of the event loop: whatever may block runs in one of a few threads of the server's own."""

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


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`function(*args, **kwargs)` in one of the server's threads."""
    return await _SERVERS.run(partial(function, *args, **kwargs))
