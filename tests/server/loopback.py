"""An application on a free port of this machine, in a thread, for tests that speak real HTTP and WebSocket."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from enlarger.server.live import LiveHub


@contextmanager
def served(jobs: Any, build: Callable[[Any, LiveHub], ASGIApp], root_path: str = "") -> Iterator[str]:
    """`build(jobs, live)` behind a server; its base URL."""
    live = LiveHub(jobs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        live.start()
        yield
        live.stop()

    app = Starlette(routes=[Mount("", app=build(jobs, live))], lifespan=lifespan)
    with serving(app, root_path) as url:
        yield url


@contextmanager
def serving(app: ASGIApp, root_path: str = "") -> Iterator[str]:
    """`app` behind a server; its base URL. Streams that are open at the end are sent home."""
    config = uvicorn.Config(app, port=0, log_level="warning", root_path=root_path, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server)}{root_path}"
    finally:
        server.should_exit = True
        thread.join()


def _port(server: uvicorn.Server) -> int:
    while not server.started:
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port
