"""Work that is done for somebody who waits, and stopped when he has gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
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
    async with while_connected(request.receive):
        try:
            result = await work()
        except Exception as raised:  # whatever it is: raised below, where no group of exceptions is made of it
            error = raised
    if error is not None:
        raise error
    return result


@asynccontextmanager
async def while_connected(receive: Receive) -> AsyncIterator[None]:
    """The block is cancelled when the client goes. What it raises comes out in a group: best let nothing out."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
        yield
        tasks.cancel_scope.cancel()


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """Whatever the client says before, by HTTP or WebSocket, is read and forgotten."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
    scope.cancel()
