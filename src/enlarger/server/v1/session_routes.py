"""The token, handed in once by a browser, becomes a cookie that scripts cannot read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from enlarger.messages import msg
from enlarger.server.refusals import UnauthorizedError
from enlarger.server.sessions import COOKIE, LIFETIME_S
from enlarger.server.v1.service import Serving
from enlarger.server.v1.wire import SessionRequest

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post("", status_code=204)
async def open_session(service: Serving, request: Request, response: Response, body: SessionRequest) -> None:
    """Set a cookie good for HTTP, WebSocket and SSE; where no token is needed, none is set."""
    access = service.access
    if not access.token:
        return
    if not access.is_token(body.token.strip()):
        raise UnauthorizedError(msg("This is not the token."), msg("It is what ENLARGER_TOKEN or its file says."))
    response.set_cookie(
        COOKIE,
        access.sessions.open(),
        max_age=LIFETIME_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


@router.delete("", status_code=204)
async def close_session(service: Serving, request: Request, response: Response) -> None:
    """End the session; the cookie is worth nothing afterwards."""
    service.access.sessions.close(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
