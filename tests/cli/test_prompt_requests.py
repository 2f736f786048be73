"""Idle sockets and half-sent requests are let go, and do not fill the server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from enlarger.cli.listening import bound, connections_allowed
from enlarger.cli.prompt_requests import PromptRequests
from enlarger.cli.serving import Served

_ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def _application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def _served(most_connections: int | None = None) -> Iterator[Any]:
    ready = threading.Event()
    (listening,) = bound("127.0.0.1", (0,))
    told: list[Any] = []
    served = Served(_application, "", ready=ready.set, tell=told.append, most_connections=most_connections)
    thread = threading.Thread(target=served.run, args=([listening],))
    thread.start()
    try:
        assert ready.wait(30)
        yield listening.getsockname()
    finally:
        served.should_exit = True
        thread.join()
        listening.close()


def _asks(where: Any) -> bytes:
    with socket.create_connection(where, timeout=20) as asking:
        asking.sendall(_ASKED)
        return asking.recv(100)


@pytest.mark.parametrize("sent", [b"", b"GET /v1/jobs HTTP/1.1\r\nHost: a", _ASKED + b"GET / HT"])
def test_a_connection_without_a_whole_head_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptRequests, "HEAD_S", 0.3)
    with _served() as where, socket.create_connection(where, timeout=20) as silent:
        silent.sendall(sent)
        while silent.recv(1000):  # TimeoutError, were it kept open
            pass


def test_a_body_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptRequests, "HEAD_S", 0.2)
    with _served() as where, socket.create_connection(where, timeout=20) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
        time.sleep(0.5)
        slow.sendall(b"x")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_beyond_the_limit_the_answer_is_503() -> None:
    with _served(most_connections=3) as where, ExitStack() as idle:
        assert _asks(where).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            idle.enter_context(socket.create_connection(where))
        assert _asks(where).startswith(b"HTTP/1.1 503")


def test_files_are_left_beside_connections() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
        allowed = connections_allowed()
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert soft > 256 or before[1] <= 256
        assert 0 < allowed <= soft // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
