"""Work that is done for somebody who waits, and stopped when he has gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from starlette.requests import Request
from starlette.types import Receive

T = TypeVar("T")


async def unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T | None:
    """What `work` gives or raises; None when the client closed the connection, and the work was cancelled.

    The request's body has to have been read.
    """
    result: T | None = None
    error: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(until_gone, request.receive, tasks.cancel_scope)
        try:
            result = await work()
        except Exception as raised:  # whatever it is: raised below, where no group of exceptions is made of it
            error = raised
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error
    return result


async def until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel `scope` when the client goes; whatever it says before, by HTTP or WebSocket, is read and forgotten."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
    scope.cancel()
