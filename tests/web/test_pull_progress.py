"""Weights on their way: told as they come, stopped when they are called off, against a server that has all the time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from real_browser import PHONE, NewWindow, expect
from test_models_page import eventually

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

MODEL = "realesrgan-x2plus"  # fetched by URL
_PIECE = 1 << 16


class _Slow(BaseHTTPRequestHandler):
    """Every file takes minutes: a piece now and then, until whoever asked is gone."""

    size_bytes = 0  # of the file that is asked for: another one would be refused at once
    leaving = threading.Event()  # set: answer nobody any more
    gone = threading.Event()  # somebody who was being answered closed the connection

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(self.size_bytes))
        self.end_headers()
        with suppress(OSError):
            while not self.leaving.wait(0.1):
                self.wfile.write(b"\0" * _PIECE)
            return
        self.gone.set()

    def log_message(self, *args: object) -> None:
        """The test looks at the browser."""


@pytest.fixture
def slow() -> Iterator[str]:
    """The URL of a mirror."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    _Slow.leaving.clear()
    _Slow.gone.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    _Slow.leaving.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetching(slow: str, tmp_path: Path) -> Iterator[Service]:
    """A server whose weights come from there."""
    service = Service(tmp_path / "data", tmp_path / "served", {"ENLARGER_MIRROR": slow}).start()
    service.ready()
    yield service
    service.stop()


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_a_pull_is_followed_and_called_off(open_window: NewWindow, fetching: Service, size: str) -> None:
    model = httpx.get(f"{fetching.url}/v1/models/{MODEL}").json()
    title, _Slow.size_bytes = model["title"]["en"], model["bytes"]
    window = open_window(**(PHONE if size == "phone" else {}))
    window.base = fetching.url
    window.go("/models")
    card = window.page.get_by_role("article").filter(has=window.page.get_by_role("heading", name=title, exact=True))
    card.get_by_role("button", name="Fetch").click()
    bar = card.get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(card.locator(".pull")).to_contain_text("kB", timeout=30_000)
    card.scroll_into_view_if_needed()
    window.look(f"pull-{size}")
    card.get_by_role("button", name="Cancel fetching").click()
    expect(bar).to_have_count(0, timeout=30_000)
    expect(card.get_by_role("button", name="Fetch")).to_be_visible()
    eventually(_Slow.gone.is_set)  # the download really stopped
