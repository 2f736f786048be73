"""One line in the log a request: an id that the client may choose, the job it is about, status and seconds."""

from __future__ import annotations

import logging
import re
import time
from itertools import count
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.server.access import header_of

HEADER = "X-Request-Id"
_RAW_HEADER = HEADER.lower().encode()
_PROCESS = uuid4().hex[:16]  # asking the system for chance at every request lets another thread go first
_counter = count(1)
_USABLE = re.compile(r"[\w.-]{1,64}", re.ASCII)
_QUIET = ("/healthz", "/readyz")
_PICTURES = "/v1/renders/"  # a reader asks for several a turn: told only when one cannot be given
_JOB = re.compile(r"/jobs/([0-9A-Za-z-]{1,64})(?:/|$)", re.ASCII)
_log = logging.getLogger("enlarger.server")  # silent until the process's owner sets up a log


class RequestLog:
    """ASGI middleware: the id is in the answer and in every line that is logged on the way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _id(scope)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_RAW_HEADER, request_id.encode())]
            await send(message)

        started = time.perf_counter()
        bound = structlog.contextvars.bind_contextvars(request=request_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if (level := _level(scope, status)) is not None and _log.isEnabledFor(level):
                _tell(level, scope, status, time.perf_counter() - started)
            structlog.contextvars.reset_contextvars(**bound)


def _level(scope: Scope, status: int) -> int | None:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if path in _QUIET:
        return None
    return logging.DEBUG if path.startswith(_PICTURES) and 200 <= status < 400 else logging.INFO


def _tell(level: int, scope: Scope, status: int, seconds: float) -> None:
    line = {"method": scope.get("method", "WEBSOCKET"), "path": scope["path"], "status": status}
    job = _JOB.search(scope["path"])
    about = {"job": job[1]} if job else {}
    _log.log(level, "request", extra={**line, "seconds": round(seconds, 3), **about})


def _id(scope: Scope) -> str:
    offered = header_of(scope, _RAW_HEADER)
    return offered if _USABLE.fullmatch(offered) else f"{_PROCESS}{next(_counter):016x}"
