"""Where the schema tells of finished renders; they are given by `RenderFiles`, which most requests reach directly."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from enlarger.server.v1.page_routes import IMAGE

router = APIRouter(prefix="/v1/renders", tags=["reader"])

_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
RenderKey = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="Names the pixels.", examples=[_EXAMPLE])]


class _Handed(Response):
    """The request as it came, to an application that answers by itself."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


@router.api_route("/{key}", methods=["HEAD"], include_in_schema=False)
@router.get("/{key}", response_class=Response, responses=IMAGE)
async def render(request: Request, key: RenderKey) -> Response:  # noqa: ARG001  # for the schema
    """A finished render, whole or by range. It never changes: keep it for ever."""
    return _Handed(request.app.state.renders)
