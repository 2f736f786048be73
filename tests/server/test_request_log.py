"""One line a request, but not for every picture that a reader turns to."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from enlarger.server.request_log import RequestLog


def told(caplog: pytest.LogCaptureFixture, path: str, status: int, *, root: str = "") -> list[str]:
    """What is told of a request, by level."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=status)(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert dict(message["headers"])[b"x-request-id"]

    scope = {"type": "http", "method": "GET", "path": root + path, "root_path": root, "headers": []}
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "enlarger.server"):
        asyncio.run(RequestLog(app)(scope, receive, send))
    return [record.levelname for record in caplog.records]


@pytest.mark.parametrize("root", ["", "/manga"])
def test_what_is_worth_a_line(caplog: pytest.LogCaptureFixture, root: str) -> None:
    render = f"/v1/renders/{'0' * 64}"
    assert told(caplog, "/v1/jobs", 200, root=root) == ["INFO"]
    assert told(caplog, "/healthz", 200, root=root) == []
    assert [told(caplog, render, status, root=root) for status in (200, 206, 304)] == [["DEBUG"]] * 3
    assert [told(caplog, render, status, root=root) for status in (404, 416, 500)] == [["INFO"]] * 3


def test_every_request_has_an_id_of_its_own() -> None:
    from enlarger.server.request_log import _id

    ids = [_id({"type": "http", "headers": []}) for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(each) for each in ids} == {32}
    assert _id({"type": "http", "headers": [(b"x-request-id", b"mine")]}) == "mine"
