"""An application asked without a network: requests with any address, Host and Origin, and WebSocket handshakes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message


@asynccontextmanager
async def asked(
    app: Starlette, base_url: str = "http://127.0.0.1:8001", client: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running application; `base_url` is the address it listens on, `client` whence one calls."""
    transport = httpx.ASGITransport(app, client=(client, 50000), raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=base_url) as http:
        yield http


async def handshake(app: ASGIApp, path: str, headers: dict[str, str], *, address: str = "127.0.0.1") -> list[Message]:
    """What a WebSocket is answered by a client that is gone at once."""
    scope: dict[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "subprotocols": [],
        "server": (address, 8001),
        "client": (address, 50000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": address, **headers}.items()],
        "extensions": {},
    }
    incoming: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
