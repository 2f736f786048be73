"""Which application answers which path: each facade has its own error shape, and knows nothing of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enlarger import __version__
from enlarger.messages import msg
from enlarger.reader import Reader, Shelf
from enlarger.server import hook, manga, v1
from enlarger.server.access import Access
from enlarger.server.docs_page import docs_routes
from enlarger.server.health import health_routes
from enlarger.server.live import LiveHub
from enlarger.server.problems import problem_response
from enlarger.server.refusals import NotFoundError
from enlarger.server.renders import PREFIX
from enlarger.server.schemas import schema_routes
from enlarger.server.ui import Ui

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_RENDERS = PREFIX.lstrip("/")
_MANGA = ("jobs", "models", "health")
_ALSO_BELOW_API = ("jobs", "ws/jobs", "models", "health")


class Facades:
    """Hands a request to the application its path belongs to, the path whole.

    The manga facade's names are answered below `/api/` too: there `/api` becomes part of the root path.
    """

    def __init__(self, jobs: Jobs, live: LiveHub, access: Access, shelf: Shelf, reader: Reader) -> None:
        api, service = v1.build(jobs, live, access, shelf, reader), manga.build(jobs, live)
        reader_hook = hook.build(jobs, live)
        health = health_routes(jobs, access)
        self._renders: ASGIApp = api.state.renders
        self._by_segment: dict[str, ASGIApp] = {
            "": _http_only(_front_page),
            "v1": api,
            "openapi.json": api,
            "openapi": schema_routes(manga=service, hook=reader_hook),
            "docs": docs_routes(),
            "healthz": health,
            "readyz": health,
            "ui": _http_only(Ui()),
            "convert": reader_hook,
            "ws": service,
            **dict.fromkeys(_MANGA, service),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root).lstrip("/")
        below_api = path.removeprefix("api/")
        if below_api != path and _begins(below_api, _ALSO_BELOW_API):
            scope, path = {**scope, "root_path": f"{root}/api"}, below_api
        app = self._by_segment.get(path.partition("/")[0], _nothing_here)
        if path.startswith(_RENDERS) and scope["type"] == "http":
            app = self._renders  # by the shortest way: pages are turned by it
        await app(scope, receive, send)


def _begins(path: str, names: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(f"{name}/") for name in names)


def _http_only(app: ASGIApp) -> ASGIApp:
    async def only(scope: Scope, receive: Receive, send: Send) -> None:
        await (app if scope["type"] == "http" else _nothing_here)(scope, receive, send)

    return only


async def _front_page(scope: Scope, receive: Receive, send: Send) -> None:
    request, root = Request(scope), scope.get("root_path", "")
    answer: Response = JSONResponse(
        {
            "service": "Enlarger",
            "version": __version__,
            "status": "running",
            "docs": f"{root}/docs",
            "ui": f"{root}/ui/",
        }
    )
    if "text/html" in request.headers.get("accept", ""):
        answer = RedirectResponse(f"{quote(root)}/ui/", 307)
    await answer(scope, receive, send)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    error = NotFoundError(msg("There is nothing at this path."), msg("See /docs for what there is."))
    await problem_response(error, HTTPConnection(scope))(scope, receive, send)
