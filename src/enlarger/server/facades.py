"""Which application answers which path: each facade has its own error shape, and knows nothing of the others."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from enlarger.server.live import LiveHub

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

MANGA = ("jobs", "ws", "models", "health")  # also below /api/
HOOK = ("convert",)
V1 = ("v1",)


class Facades:
    """Hands a request to the application its first path segment belongs to, paths whole.

    Below `/api/` the manga facade's names are answered too: there `/api` becomes part of the root path.
    """

    def __init__(self, jobs: Jobs, live: LiveHub) -> None:
        self._by_segment: dict[str, ASGIApp] = {}
        for name, segments in (("v1", V1), ("manga", MANGA), ("hook", HOOK)):
            if find_spec(f"enlarger.server.{name}"):
                app = import_module(f"enlarger.server.{name}").build(jobs, live)
                self._by_segment.update(dict.fromkeys(segments, app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        segments = scope["path"].removeprefix(root).split("/")[1:]
        if segments[:1] == ["api"] and segments[1:2] and segments[1] in MANGA:
            scope, segments = {**scope, "root_path": f"{root}/api"}, segments[1:]
        app = self._by_segment.get(segments[0] if segments else "", _nothing_here)
        await app(scope, receive, send)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("Not Found", 404)(scope, receive, send)
