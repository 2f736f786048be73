"""A loopback file server that behaves as told: keeps to Range or not, closes early, answers otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `content` at every path; the knobs may be turned between requests."""

    content: bytes
    etag: str = '"v1"'
    keeps_range: bool = True
    sends_length: bool = True
    range_shift: int = 0  # a broken server: says and sends another range than asked
    closes_after: list[int] = field(default_factory=list)  # bytes of body, one entry a request; empty: the whole body
    statuses: list[int] = field(default_factory=list)  # answered first, one a request
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def ranges(self) -> list[str]:
        return [headers.get("range", "") for headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    plan: FileServer

    def do_GET(self) -> None:
        plan = self.plan
        plan.asked.append({name.lower(): value for name, value in self.headers.items()})
        if plan.statuses:
            self.send_error(plan.statuses.pop(0))
            return
        start = self._start()
        if start is not None and start >= len(plan.content):
            self.send_error(416)
            return
        self._send(start)

    def _start(self) -> int | None:
        wanted, plan = self.headers.get("Range"), self.plan
        if wanted is None or not plan.keeps_range or self.headers.get("If-Range", plan.etag) != plan.etag:
            return None
        return int(wanted.removeprefix("bytes=").split("-")[0]) + plan.range_shift

    def _send(self, start: int | None) -> None:
        plan = self.plan
        body = plan.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(plan.content) - 1}/{len(plan.content)}")
        if plan.sends_length:
            self.send_header("Content-Length", str(len(body)))
        if plan.etag:
            self.send_header("ETag", plan.etag)
        self.end_headers()
        self.wfile.write(body[: plan.closes_after.pop(0)] if plan.closes_after else body)

    def log_message(self, *args: object) -> None:
        """Tests read `asked` instead."""


@contextmanager
def serving(plan: FileServer) -> Iterator[FileServer]:
    """`plan` on a free loopback port, its `url` set, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"plan": plan}))
    server.daemon_threads = True
    plan.url = f"http://127.0.0.1:{server.server_address[1]}/weights.pth"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield plan
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
