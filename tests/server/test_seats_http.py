"""Several clients at one book over HTTP; rules that two edit at once; a render that is only looked up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_workers import PATIENCE_S
from job_making import until
from test_reader_http import book_of, page_of, turned
from websockets.sync.client import connect

from conftest import Service


def sits(service: Service, book: str, seat: str, page: int) -> list[dict[str, Any]]:
    answer = service.http.put(f"/v1/reader/books/{book}/position", params={"seat": seat}, json={"page": page})
    answer.raise_for_status()
    pages: list[dict[str, Any]] = answer.json()["pages"]
    return pages


def leaves(service: Service, book: str, seat: str) -> None:
    service.http.delete(f"/v1/reader/books/{book}", params={"seat": seat}).raise_for_status()


def open_books(service: Service) -> list[str]:
    found: list[str] = service.http.get("/v1/reader").json()["openBooks"]
    return found


def test_a_tab_that_leaves_does_not_stop_another(service: Service) -> None:
    book = book_of(service, "shared", *range(900, 912))
    sits(service, book, "phone", 8)
    sits(service, book, "tab", 1)
    assert {page_of(service, book, page)["isPreload"] for page in (1, 8)} == {False}
    leaves(service, book, "phone")
    assert page_of(service, book, 8)["status"] == "cancelled"
    assert page_of(service, book, 1)["status"] in ("checking", "processing", "completed")
    assert open_books(service) == [book]
    leaves(service, book, "tab")
    assert open_books(service) == []
    until(lambda: page_of(service, book, 1)["status"] in ("cancelled", "completed"))
    assert page_of(service, book, 2)["status"] == "cancelled"


def test_a_socket_that_closes_is_waited_for(service: Service) -> None:
    book = book_of(service, "dropped", 901, 902)
    url = f"{service.url.replace('http', 'ws')}/v1/live?seat=tab"
    with connect(url) as socket:
        assert json.loads(socket.recv(PATIENCE_S))["type"] == "hello"
        sits(service, book, "tab", 0)
    assert open_books(service) == [book]  # the network may be back in a moment
    leaves(service, book, "tab")
    assert open_books(service) == []


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
    assert open_books(service) == []
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
