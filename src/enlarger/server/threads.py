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

_MOST_THREADS = 16
_limiter: RunVar[CapacityLimiter] = RunVar("enlarger_server_threads")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`function(*args, **kwargs)` in a thread; at most 16 at once, so that a burst of requests waits here."""
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=limiter())


def limiter() -> CapacityLimiter:
    """The event loop's share of threads."""
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(CapacityLimiter(_MOST_THREADS))
        return _limiter.get()
