"""Several clients at one book over HTTP; rules that two edit at once; a render that is only looked up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from fake_workers import PATIENCE_S
from job_making import folder_of, until
from loopback import serving
from memory_jobs import MemoryJobs
from test_reader_http import book_of, page_of, turned
from websockets.sync.client import connect

from conftest import Service
from enlarger.reader import Reader
from enlarger.server import create_app


def sits(service: Service, book: str, seat: str, page: int) -> list[dict[str, Any]]:
    answer = service.http.put(f"/v1/reader/books/{book}/position", params={"seat": seat}, json={"page": page})
    answer.raise_for_status()
    pages: list[dict[str, Any]] = answer.json()["pages"]
    return pages


def leaves(service: Service, book: str, seat: str) -> None:
    service.http.delete(f"/v1/reader/books/{book}", params={"seat": seat}).raise_for_status()


def open_books(http: httpx.Client) -> list[str]:
    found: list[str] = http.get("/v1/reader").json()["openBooks"]
    return found


def test_a_tab_that_leaves_does_not_stop_another(service: Service) -> None:
    book = book_of(service, "shared", *range(900, 912))
    sits(service, book, "phone", 8)
    sits(service, book, "tab", 1)
    assert {page_of(service, book, page)["isPreload"] for page in (1, 8)} == {False}
    leaves(service, book, "phone")
    assert page_of(service, book, 8)["status"] == "cancelled"
    until(lambda: page_of(service, book, 1)["status"] in ("checking", "processing", "completed"))
    assert open_books(service.http) == [book]
    leaves(service, book, "tab")
    assert open_books(service.http) == []
    until(lambda: page_of(service, book, 1)["status"] in ("cancelled", "completed"))
    assert page_of(service, book, 2)["status"] == "cancelled"


def test_a_socket_that_closes_is_waited_for(service: Service) -> None:
    book = book_of(service, "dropped", 901, 902)
    url = f"{service.url.replace('http', 'ws')}/v1/live?seat=tab"
    with connect(url) as socket:
        assert json.loads(socket.recv(PATIENCE_S))["type"] == "hello"
        sits(service, book, "tab", 0)
    assert open_books(service.http) == [book]  # the network may be back in a moment
    leaves(service, book, "tab")
    assert open_books(service.http) == []


@contextmanager
def socket_of(http: httpx.Client, seat: str) -> Iterator[None]:
    url = str(http.base_url.join("/v1/live")).replace("http", "ws")
    with connect(f"{url}?seat={seat}") as socket:
        assert json.loads(socket.recv(PATIENCE_S))["type"] == "hello"
        yield


@contextmanager
def stream_of(http: httpx.Client, seat: str) -> Iterator[None]:
    with http.stream("GET", "/v1/reader/events", params={"seat": seat}) as answer:
        lines = answer.iter_lines()  # held: when it goes, so does the connection
        assert next(lines) == ": here"
        yield


@pytest.mark.parametrize("present", [socket_of, stream_of])
def test_a_book_is_open_as_long_as_whoever_reads_it_is_there(
    memory: Callable[..., MemoryJobs],
    monkeypatch: pytest.MonkeyPatch,
    present: Callable[[httpx.Client, str], AbstractContextManager[None]],
) -> None:
    jobs = memory()
    kept, left = (folder_of(jobs.storage.incoming / name, 60).name for name in ("kept", "left"))
    monkeypatch.setattr("enlarger.server.app.Reader", partial(Reader, grace_s=0.1))
    with serving(create_app(jobs.settings, jobs)) as url, httpx.Client(base_url=url, timeout=60) as http:  # type: ignore[arg-type]
        items = http.get("/v1/shelf/items", params={"root": "incoming"}).json()["items"]
        books = {item["title"]: item["id"] for item in items}
        with present(http, "tab"):
            http.post(f"/v1/reader/books/{books[kept]}/open", params={"seat": "tab"}).raise_for_status()
            with present(http, "tab"):
                pass  # the same client's other socket
            with present(http, "phone"):
                http.post(f"/v1/reader/books/{books[left]}/open", params={"seat": "phone"}).raise_for_status()
                assert set(open_books(http)) == set(books.values())
            until(lambda: open_books(http) == [books[kept]], "the book that was left is open, or the other is not")
        until(lambda: open_books(http) == [], "the book is open though nobody reads it")


@pytest.mark.parametrize("seat", ["a b", "x" * 65, "☃"])
def test_a_seat_is_a_short_plain_word(service: Service, seat: str) -> None:
    book = book_of(service, "plain", 68)
    answer = service.http.post(f"/v1/reader/books/{book}/open", params={"seat": seat})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


# ---- rules ----

RULE = {"id": "a", "name": "A", "match": {"minWidth": 100}, "skip": True}


def test_of_two_who_edit_the_rules_the_second_is_told(service: Service) -> None:
    first = service.http.get("/v1/reader/rules")
    tag = first.headers["ETag"]
    saved = service.http.put("/v1/reader/rules", json={"enabled": True, "rules": [RULE]}, headers={"If-Match": tag})
    assert saved.status_code == 200
    late = {"enabled": False, "rules": [{**RULE, "name": "B"}]}
    for path, body in (("rules", late), ("conditions", {"upscaleConditions": []})):
        refused = service.http.put(f"/v1/reader/{path}", json=body, headers={"If-Match": tag})
        assert (refused.status_code, refused.json()["code"]) == (412, "rules_changed")
        assert refused.json()["remedy"]
    assert service.http.get("/v1/reader/rules").json()["rules"][0]["name"] == "A"
    now = {"If-Match": f'"something", {saved.headers["ETag"]}'}
    assert service.http.put("/v1/reader/rules", json=late, headers=now).status_code == 200
    weak = f"W/{service.http.get('/v1/reader/rules').headers['ETag']}"  # as proxies that compress say it
    assert service.http.put("/v1/reader/rules", json=late, headers={"If-Match": weak}).status_code == 200
    assert service.http.put("/v1/reader/rules", json=late, headers={"If-Match": "*"}).status_code == 200


def test_the_same_rules_have_the_same_tag_in_either_form(service: Service) -> None:
    put = service.http.put("/v1/reader/rules", json={"enabled": True, "rules": [RULE]})
    tags = {service.http.get(f"/v1/reader/{path}").headers["ETag"] for path in ("rules", "conditions")}
    assert tags == {put.headers["ETag"]}


# ---- a lookup ----


def test_a_lookup_begins_nothing(service: Service) -> None:
    book = book_of(service, "looked", 68)
    asked = {"bookPath": str(service.folder("looked")), "pageIndex": 0}
    answer = service.http.get("/v1/reader/lookup", params=asked).json()
    assert (answer["cached"], answer["url"]) == (False, None)
    assert page_of(service, book, 0)["status"] == "none"
    assert open_books(service.http) == []
    unknown = service.http.get("/v1/reader/lookup", params={**asked, "pageIndex": 9})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_book")
    assert turned(service, book, 0)[0]["page"] == 0


def test_a_path_that_the_book_does_not_hold_is_no_page(service: Service) -> None:
    book_of(service, "named", 68, 69)
    folder = service.folder("named")
    for path in (folder / "gone.png", folder.parent / "elsewhere" / "1.png"):
        asked = {"bookPath": str(folder), "imagePath": str(path)}
        request = service.http.post("/v1/reader/requests", json=asked)
        lookup = service.http.get("/v1/reader/lookup", params=asked)
        assert [(each.status_code, each.json()["code"]) for each in (request, lookup)] == [(404, "unknown_book")] * 2
        assert service.http.post("/v1/reader/requests", json={**asked, "pageIndex": 1}).json()["page"] == 1
        assert service.http.get("/v1/reader/lookup", params={**asked, "pageIndex": 1}).status_code == 200
    assert service.http.post("/v1/reader/requests", json={"bookPath": str(folder)}).json()["page"] == 0
