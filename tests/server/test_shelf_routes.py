"""The shelf over HTTP: roots, lists, uploads that are whole or absent, and refusals that say what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from loopback import serving
from memory_jobs import MemoryJobs

from enlarger.server import create_app
from shelf_making import picture, write_archive


class Shop:
    """A server, its folders, and a client of it."""

    def __init__(self, jobs: MemoryJobs, http: httpx.Client) -> None:
        self.incoming = jobs.storage.incoming
        self.outside = jobs.storage.root.parent / "outside"
        self.outside.mkdir()
        self.http = http

    def items(self, **wanted: Any) -> list[dict[str, Any]]:
        answer = self.http.get("/v1/shelf/items", params=wanted)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def visible(self) -> list[str]:
        """What lies in incoming/, hidden or not."""
        return sorted(path.relative_to(self.incoming).as_posix() for path in self.incoming.rglob("*"))


@pytest.fixture
def shop(memory: Callable[..., MemoryJobs]) -> Iterator[Shop]:
    jobs = memory(max_upload_bytes=2_000_000)
    with serving(create_app(jobs.settings, jobs)) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Shop(jobs, http)


def test_roots_come_and_go(shop: Shop) -> None:
    (own,) = shop.http.get("/v1/shelf").json()["roots"]
    assert own == {
        "id": "incoming",
        "name": "incoming",
        "path": str(shop.incoming),
        "removable": False,
        "here": True,
    }
    write_archive(shop.outside / "卷.cbz", {"1.png": picture()})
    added = shop.http.post("/v1/shelf/roots", json={"path": str(shop.outside)})
    assert added.status_code == 201
    root = added.json()
    assert [item["title"] for item in shop.items(root=root["id"])] == ["卷"]
    assert shop.http.post("/v1/shelf/roots", json={"path": str(shop.outside)}).json() == root
    assert shop.http.delete(f"/v1/shelf/roots/{root['id']}").status_code == 204
    assert shop.http.delete(f"/v1/shelf/roots/{root['id']}").status_code == 404
    assert shop.http.get("/v1/shelf").json()["roots"] == [own]


def test_a_book_on_an_added_root_becomes_a_job_and_nothing_beside_it(shop: Shop) -> None:
    write_archive(shop.outside / "on" / "卷.cbz", {"1.png": picture()})
    write_archive(shop.outside / "off" / "卷.cbz", {"1.png": picture()})
    shop.http.post("/v1/shelf/roots", json={"path": str(shop.outside / "on")}).raise_for_status()
    whole = str(shop.outside / "on" / "卷.cbz")
    job = shop.http.post("/v1/jobs", json={"path": whole})
    assert (job.status_code, job.json()["source"]) == (202, {"kind": "archive", "path": whole})
    for beside in (shop.outside / "off" / "卷.cbz", shop.outside / "on" / ".." / "off" / "卷.cbz"):
        assert shop.http.post("/v1/jobs", json={"path": str(beside)}).status_code == 422


@pytest.mark.parametrize("path", ["/", "/etc", "manga", "/no/such/folder", "../.."])
def test_what_is_no_folder_for_a_shelf_is_refused(shop: Shop, path: str) -> None:
    answer = shop.http.post("/v1/shelf/roots", json={"path": path}, headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert answer.json()["remedy"]


def test_the_servers_own_roots_stay(shop: Shop) -> None:
    answer = shop.http.delete("/v1/shelf/roots/incoming")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


def test_items_say_what_a_shelf_needs(shop: Shop) -> None:
    path = write_archive(shop.incoming / "卷 01.cbz", {"1.png": picture(), "2.png": picture()})
    (shop.incoming / "series" / "a").mkdir(parents=True)
    (shop.incoming / "series" / "a" / "1.png").write_bytes(picture())
    group, book = shop.items()
    assert (group["kind"], group["title"], group["cover"]) == ("group", "series", None)
    assert {name: book[name] for name in ("kind", "format", "title", "path", "pages", "progress", "bytes")} == {
        "kind": "book",
        "format": "zip",
        "title": "卷 01",
        "path": "卷 01.cbz",
        "pages": None,
        "progress": None,
        "bytes": path.stat().st_size,
    }
    assert shop.http.get(book["cover"]).headers["content-type"] == "image/webp"
    assert [item["path"] for item in shop.items(group=group["id"])] == ["series/a"]
    assert [item["path"] for item in shop.items(q="01")] == ["卷 01.cbz"]


def test_lists_come_in_pages(shop: Shop) -> None:
    for number in range(7):
        write_archive(shop.incoming / f"{number}.cbz", {"1.png": b""})
    titles, after = [], ""
    while True:
        answer = shop.http.get("/v1/shelf/items", params={"limit": 3, "after": after}).json()
        titles += [item["title"] for item in answer["items"]]
        if not (after := answer["next"]):
            break
    assert titles == [str(number) for number in range(7)]
    assert shop.http.get("/v1/shelf/items", params={"after": "a"}).status_code == 422


def test_progress_is_kept_and_the_last_book_comes_first(shop: Shop) -> None:
    for name in "ab":
        write_archive(shop.incoming / f"{name}.cbz", {"1.png": picture(), "2.png": picture()})
    for item, page in zip(shop.items(), (0, 1), strict=True):
        assert shop.http.put(f"/v1/books/{item['id']}/progress", json={"page": page}).status_code == 204
    recent = shop.http.get("/v1/shelf/recent").json()["items"]
    assert [(item["title"], item["progress"]["page"], item["progress"]["total"]) for item in recent] == [
        ("b", 1, 2),
        ("a", 0, 2),
    ]


# ---- uploads ----


def test_an_upload_is_on_the_shelf_at_once(shop: Shop) -> None:
    files = [
        ("files", ("第1卷/1.png", picture(), "image/png")),
        ("files", ("第1卷/2.png", picture(), "image/png")),
        ("files", ("b.cbz", b"PK\x05\x06" + bytes(18), "application/zip")),
    ]
    answer = shop.http.post("/v1/shelf/uploads", files=files)
    assert answer.status_code == 201
    assert [(item["kind"], item["title"], item["pages"]) for item in answer.json()["items"]] == [
        ("book", "第1卷", 2),
        ("book", "b", None),
    ]
    assert shop.visible() == ["b.cbz", "第1卷", "第1卷/1.png", "第1卷/2.png"]


def test_two_uploads_of_one_name_are_both_kept(shop: Shop) -> None:
    for data in (b"one", b"two"):
        assert shop.http.post("/v1/shelf/uploads", files={"files": ("b.cbz", data)}).status_code == 201
    again = shop.http.post("/v1/shelf/uploads", files={"files": ("b.cbz", b"one")})
    assert [item["title"] for item in again.json()["items"]] == ["b"]
    assert {path.name: path.read_bytes() for path in shop.incoming.iterdir()} == {"b.cbz": b"one", "b (2).cbz": b"two"}


@pytest.mark.parametrize(
    "name", ["../../evil.cbz", "/etc/evil.cbz", "C:\\evil.cbz", "a/../../../evil.cbz", "..\\evil.cbz"]
)
def test_names_cannot_lead_out(shop: Shop, name: str) -> None:
    assert shop.http.post("/v1/shelf/uploads", files={"files": (name, b"x")}).status_code == 201
    found = list(shop.incoming.parent.parent.rglob("evil.cbz"))
    assert len(found) == 1
    assert found[0].is_relative_to(shop.incoming)


def test_an_upload_that_is_cut_leaves_nothing(shop: Shop) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="v/1.png"\r\n\r\n' + b"x" * 1_500_000
    parts = urlsplit(str(shop.http.base_url))
    with socket.create_connection((parts.hostname, parts.port or 80)) as client:
        head = (
            f"POST /v1/shelf/uploads HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1900000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        client.sendall(head.encode() + body)
        _until(lambda: any(".enlarger-upload-" in name for name in shop.visible()))
    _until(lambda: shop.visible() == [])
    assert shop.items() == []


def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"files": ("a.txt", b"x")}, 422),
        ({"files": ("big.cbz", bytes(2_100_000))}, 413),
        ({"title": (None, "no file")}, 400),
    ],
)
def test_what_is_not_taken_leaves_nothing(shop: Shop, files: Any, status: int) -> None:
    answer = shop.http.post("/v1/shelf/uploads", files=files)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
    assert shop.visible() == []


def test_only_forms_are_taken(shop: Shop) -> None:
    assert shop.http.post("/v1/shelf/uploads", content=b"x").status_code == 415
    assert shop.http.post("/v1/shelf/uploads", json={}).status_code == 415


def test_another_page_may_not_change_the_shelf(shop: Shop, tmp_path: Path) -> None:
    stranger = {"Origin": "http://evil.example"}
    body = {"path": str(tmp_path)}
    assert shop.http.post("/v1/shelf/roots", json=body, headers=stranger).status_code == 403
    assert shop.http.post("/v1/shelf/uploads", files={"files": ("b.cbz", b"x")}, headers=stranger).status_code == 403
