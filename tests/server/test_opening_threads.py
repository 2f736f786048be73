"""What may unpack a whole archive, however it is asked for, leaves the threads that page turns need."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from loopback import serving
from memory_jobs import MemoryJobs
from test_book_routes import coded

from enlarger.reader import Shelf
from enlarger.server import create_app
from shelf_making import picture, write_archive

_MORE_THAN_THREADS = 20
_FAST, _SLOW = coded("incoming:fast.cbz"), coded("incoming:slow.cbz")


class Stall:
    """A shelf that cannot say the pages of one book until it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def over(self, pages: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
        def stalled(shelf: Shelf, book_id: str) -> Sequence[Any]:
            if book_id == _SLOW:
                self.begun.set()
                self.go_on.wait(60)
            return pages(shelf, book_id)

        return stalled


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> Stall:
    stall = Stall()
    monkeypatch.setattr(Shelf, "pages", stall.over(Shelf.pages))
    return stall


@pytest.fixture
def room(memory: Callable[..., MemoryJobs], stall: Stall) -> Iterator[tuple[httpx.Client, str]]:
    jobs = memory()
    with serving(create_app(jobs.settings, jobs)) as url, httpx.Client(base_url=url, timeout=20) as http:
        for name in ("fast", "slow"):
            write_archive(jobs.storage.incoming / f"{name}.cbz", {"1.png": picture()})
        http.patch("/v1/reader", json={"enabled": False}).raise_for_status()
        http.post(f"/v1/reader/books/{_FAST}/open").raise_for_status()
        yield http, str(jobs.storage.incoming / "slow.cbz")
        stall.go_on.set()


def _open(http: httpx.Client, path: str) -> httpx.Response:
    return http.post(f"/v1/reader/books/{_SLOW}/open")


def _turn(http: httpx.Client, path: str) -> httpx.Response:
    return http.put(f"/v1/reader/books/{_SLOW}/position", json={"page": 0})


def _request(http: httpx.Client, path: str) -> httpx.Response:
    return http.post("/v1/reader/requests", json={"bookPath": path, "pageIndex": 0})


def _preload(http: httpx.Client, path: str) -> httpx.Response:
    return http.post("/v1/reader/preloads", json={"bookPath": path, "centerIndex": 0, "imageInfos": [{"pageIndex": 0}]})


def _lookup(http: httpx.Client, path: str) -> httpx.Response:
    return http.get("/v1/reader/lookup", params={"bookPath": path, "pageIndex": 0})


def _test(http: httpx.Client, path: str) -> httpx.Response:
    return http.post("/v1/reader/rules/test", json={"bookId": _SLOW})


@pytest.mark.parametrize("ask", [_open, _turn, _request, _preload, _lookup, _test])
def test_a_turn_is_answered_while_another_book_is_unpacked(
    room: tuple[httpx.Client, str], stall: Stall, ask: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    http, path = room
    with ThreadPoolExecutor(_MORE_THAN_THREADS) as crowd:
        asked = [crowd.submit(ask, http, path) for _ in range(_MORE_THAN_THREADS)]
        try:
            assert stall.begun.wait(20)
            turned = http.put(f"/v1/reader/books/{_FAST}/position", json={"page": 0}, timeout=15)
        finally:
            stall.go_on.set()
        assert turned.status_code == 200
        assert {each.result().status_code for each in asked} == {200}
