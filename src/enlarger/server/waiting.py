"""Work that is done for somebody who waits, and stopped when he has gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from starlette.requests import Request

T = TypeVar("T")


async def unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T | None:
    """What `work` gives or raises; None when the client closed the connection, and the work was cancelled.

    The request's body has to have been read.
    """
    result: T | None = None
    error: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, request, tasks.cancel_scope)
        try:
            result = await work()
        except Exception as raised:  # whatever it is: raised below, where no group of exceptions is made of it
            error = raised
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error
    return result


async def _until_gone(request: Request, scope: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
