"""The door before every facade: host, token, origin, CORS and security headers, for HTTP and WebSocket alike."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.messages import msg
from enlarger.server.access import Access, header_of, host_name
from enlarger.server.problems import problem_response
from enlarger.server.refusals import ForbiddenError, RefusalError, UnauthorizedError, WrongHostError

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
_NO_PAGE = {"Vary": "Origin"}
_RAW_VARY = (b"vary", b"Origin")
_FOR_PROBES = ("/healthz", "/readyz")  # say no more than whether it works
_OPEN = ("/", "/healthz", "/readyz", "/v1/session", "/openapi.json", "/docs", "/ui")
_OPEN_BELOW = ("/docs/", "/openapi/", "/ui/")  # the application's files, not what they ask for
_READS = ("GET", "HEAD", "OPTIONS")
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_READABLE = "ETag, Location, Retry-After, Content-Disposition, Content-Range, X-Request-Id"
_ONE_DAY_S = 86400


class Security:
    """ASGI middleware. What it refuses never reaches a facade; the answer is a problem with `detail` in it."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _with_headers(send, self._cors(scope))
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        elif _is_preflight(scope):
            await self._preflight(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> RefusalError | None:
        if not self._access.token and not self._access.is_local(scope) and _path(scope) not in _FOR_PROBES:
            return ForbiddenError(
                msg("Without a token the server answers its own machine only."),
                msg("Set ENLARGER_TOKEN or ENLARGER_TOKEN_FILE, and send it as “Authorization: Bearer …”."),
            )
        if not self._access.is_called_rightly(scope):
            return WrongHostError(
                msg(
                    "The server may not be called by the name “{host}”.",
                    host=host_name(header_of(scope, b"host")),
                ),
                msg("Use its address, or add the name to ENLARGER_ALLOWED_HOSTS."),
            )
        if _changes(scope) and not self._access.allows_page(scope):
            return ForbiddenError(
                msg("Pages of another origin may not change anything here."),
                msg("Add the origin to ENLARGER_CORS_ORIGINS, if it is yours."),
            )
        if self._access.token and not _is_open(scope) and not self._access.knows(scope):
            return UnauthorizedError(
                msg("A token is needed."), msg("Send it as “Authorization: Bearer …”, or open a session with it.")
            )
        return None

    def _cors(self, scope: Scope) -> Mapping[str, str]:
        origin = header_of(scope, b"origin")
        if not origin or not self._access.is_allowed(origin):
            return _NO_PAGE
        if self._access.any_origin:  # anybody's page: without this browser's cookie
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _READABLE}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": _READABLE,
            "Vary": "Origin",
        }

    async def _preflight(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header_of(scope, b"origin")
        if not self._access.is_allowed(origin) and not self._access.is_own(origin, scope):
            refusal = ForbiddenError(msg("Pages of another origin may not change anything here."))
            await _refuse(refusal, scope, receive, send)
            return
        answer = {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": header_of(scope, b"access-control-request-headers") or "*",
            "Access-Control-Max-Age": str(_ONE_DAY_S),
        }
        await Response(status_code=204, headers=answer)(scope, receive, send)


def _with_headers(send: Send, cors: Mapping[str, str]) -> Send:
    """Add headers to the answer where it does not say them itself; on every answer's way, so without a detour."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            said = {name for name, _ in headers}
            headers += [header for header in _RAW_HEADERS if header[0] not in said]
            if cors is _NO_PAGE and b"vary" not in said:  # nearly every answer
                headers.append(_RAW_VARY)
            else:
                _add_cors(MutableHeaders(raw=headers), cors)
            message["headers"] = headers
        await send(message)

    return send_with_headers


def _add_cors(answer: MutableHeaders, cors: Mapping[str, str]) -> None:
    for name, value in cors.items():
        if name == "Vary":
            answer.add_vary_header(value)
        else:
            answer.setdefault(name, value)


async def _refuse(refusal: RefusalError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    await problem_response(refusal, HTTPConnection(scope))(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    return bool(header_of(scope, b"origin") and header_of(scope, b"access-control-request-method"))


def _changes(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in _READS


def _is_open(scope: Scope) -> bool:
    """What needs no token: whether the server lives, how to talk to it, and how to hand in the token."""
    path = _path(scope)
    if scope["type"] == "http" and (path in _OPEN or _is_preflight(scope)):
        return True
    return path.startswith(_OPEN_BELOW)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
