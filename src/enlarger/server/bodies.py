"""Small bodies taken in whole before a facade sees the request: no JSON fills the memory or keeps a handler waiting."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.errors import EnlargerError
from enlarger.messages import msg
from enlarger.server.pace import Arrival
from enlarger.server.problems import problem_response
from enlarger.server.refusals import SlowBodyError, TooLargeError

MOST_BYTES = 1 << 20
_STREAMED = ("/v1/upscale", "/convert")  # pictures under any content type; they count for themselves
_STREAMED_AS_FORM = ("/v1/jobs", "/v1/shelf/uploads")


class SmallBodies:
    """ASGI middleware: 413 beyond a megabyte, 408 when it comes too slowly. Uploads pass untouched."""

    def __init__(self, app: ASGIApp, timeout_s: float = 30.0) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS") or _is_streamed(scope):
            await self._app(scope, receive, send)
            return
        try:
            messages = await self._gathered(Headers(scope=scope), receive)
        except EnlargerError as error:
            await problem_response(error, HTTPConnection(scope))(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _gathered(self, headers: Headers, receive: Receive) -> list[Message]:
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced[:18]) > MOST_BYTES:
            raise _too_large()
        body, more, arrival = bytearray(), True, Arrival(self._timeout_s)
        while more:
            message = await self._next(receive, arrival)
            if message["type"] == "http.disconnect":
                return [message]
            body += message.get("body", b"")
            arrival.came(len(message.get("body", b"")))
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                raise _too_large()
        return [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def _next(self, receive: Receive, arrival: Arrival) -> Message:
        try:
            with arrival.waiting():
                return await receive()
        except TimeoutError as error:
            seconds = f"{self._timeout_s:g}"
            raise SlowBodyError(
                msg("Nothing more came for {seconds} seconds.", seconds=seconds), msg("Send the request again.")
            ) from error


def _is_streamed(scope: Scope) -> bool:
    """By exact method and path: behind all others a content type would only be a way around the limits."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if scope["method"] != "POST" or path not in _STREAMED_AS_FORM:
        return scope["method"] == "POST" and path in _STREAMED
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "multipart/form-data"


def _too_large() -> TooLargeError:
    return TooLargeError(
        msg("A body of this kind may have at most {most} bytes.", most=MOST_BYTES),
        msg("Send the files as multipart/form-data."),
    )
