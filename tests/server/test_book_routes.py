"""A book over HTTP: its pages with sizes, each as it is, small, and told apart from what it was before."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from loopback import serving
from memory_jobs import MemoryJobs
from PIL import Image

from enlarger.server import create_app
from shelf_making import picture, write_archive


class Library:
    """A server over books in incoming/."""

    def __init__(self, jobs: MemoryJobs, http: httpx.Client) -> None:
        self.incoming = jobs.storage.incoming
        self.http = http

    def url(self, name: str) -> str:
        """The book of that name below incoming/."""
        return f"/v1/books/{coded(f'incoming:{name}')}"

    def archive(self, name: str, pages: dict[str, bytes]) -> str:
        write_archive(self.incoming / name, pages)
        return self.url(name)


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.fixture
def library(memory: Callable[..., MemoryJobs]) -> Iterator[Library]:
    jobs = memory()
    with serving(create_app(jobs.settings, jobs)) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Library(jobs, http)


def size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size


def test_a_book_shows_its_pages_and_problems(library: Library) -> None:
    url = library.archive("卷.cbz", {"2.png": picture(), "10.jpg": b"broken", "1.webp": picture(8, 9, "WEBP")})
    book = library.http.get(url, headers={"Accept-Language": "en"}).json()
    assert (book["title"], book["path"], book["format"], book["progress"]) == ("卷", "卷.cbz", "zip", None)
    assert [(page["index"], page["name"], page["width"], page["height"]) for page in book["pages"]] == [
        (0, "1.webp", 8, 9),
        (1, "2.png", 24, 36),
        (2, "10.jpg", 0, 0),
    ]
    assert [problem["name"] for problem in book["problems"]] == ["10.jpg"]
    assert library.http.put(f"{url}/progress", json={"page": 2}).status_code == 204
    assert library.http.get(url).json()["progress"]["page"] == 2
    assert library.http.put(f"{url}/progress", json={"page": 3}).status_code == 404
    assert library.http.put(f"{url}/progress", json={"page": -1}).status_code == 422


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_a_page_is_given_as_it_is(library: Library, kind: str) -> None:
    data = picture(kind="JPEG")
    if kind == "archive":
        url = library.archive("b", {"1.png": data})
    else:
        (library.incoming / "b").mkdir()
        (library.incoming / "b" / "1.png").write_bytes(data)
        url = library.url("b")
    answer = library.http.get(f"{url}/pages/0")
    assert (answer.content, answer.headers["content-type"]) == (data, "image/jpeg")  # not what its name says
    tag = answer.headers["etag"]
    known = library.http.get(f"{url}/pages/0", headers={"If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    part = library.http.get(f"{url}/pages/0", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, data[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(data)}"
    assert library.http.get(f"{url}/pages/0", headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert library.http.head(f"{url}/pages/0").headers["etag"] == tag
    assert library.http.get(f"{url}/pages/1").status_code == 404


def test_an_archive_that_was_replaced_is_another_one(library: Library) -> None:
    url = library.archive("b.cbz", {"1.png": picture(colour=1)})
    tag = library.http.get(f"{url}/pages/0").headers["etag"]
    small = library.http.get(f"{url}/cover")
    library.archive("b.cbz", {"1.png": picture(colour=2), "2.png": picture()})
    again = library.http.get(f"{url}/pages/0", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (200, picture(colour=2))
    assert library.http.get(f"{url}/cover").headers["etag"] != small.headers["etag"]
    assert len(library.http.get(url).json()["pages"]) == 2


def test_what_browsers_do_not_show_is_made_showable(library: Library) -> None:
    data = picture(kind="TIFF")
    url = library.archive("b.cbz", {"1.tif": data, "2.tif": b"II*\0 broken"})
    answer = library.http.get(f"{url}/pages/0")
    if answer.headers.get("x-shown-as"):  # as soon as pictures can be read from it
        assert answer.headers["content-type"] == answer.headers["x-shown-as"] == "image/webp"
        assert size(answer.content) == size(data)
    else:
        assert (answer.headers["content-type"], answer.content) == ("image/tiff", data)
    broken = library.http.get(f"{url}/pages/1")
    assert (broken.headers["content-type"], broken.content) == ("image/tiff", b"II*\0 broken")


def test_a_page_that_is_no_picture_cannot_run(library: Library) -> None:
    url = library.archive("b.cbz", {"1.png": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"})
    answer = library.http.get(f"{url}/pages/0")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_thumbnails_and_covers_are_small(library: Library) -> None:
    url = library.archive("b.cbz", {"1.jpg": b"\xff\xd8\xff broken", "2.jpg": picture(800, 1200, "JPEG")})
    answer = library.http.get(f"{url}/pages/1/thumbnail", params={"width": 160})
    assert (size(answer.content), answer.headers["content-type"]) == ((160, 240), "image/webp")
    assert answer.headers["cache-control"] == "private, max-age=86400"
    tag = {"If-None-Match": answer.headers["etag"]}
    assert library.http.get(f"{url}/pages/1/thumbnail?width=160", headers=tag).status_code == 304
    assert library.http.get(f"{url}/pages/1/thumbnail?width=320", headers=tag).status_code == 200
    assert size(library.http.get(f"{url}/cover", params={"width": 320}).content) == (
        320,
        480,
    )  # of the first that can be
    broken = library.http.get(f"{url}/pages/0/thumbnail")
    assert (broken.status_code, broken.json()["code"]) == (422, "bad_picture")
    assert library.http.get(f"{url}/pages/1/thumbnail?width=0").status_code == 422


def test_a_book_with_nothing_to_show_says_what_is_wrong(library: Library) -> None:
    url = library.archive("b.cbz", {"1.jpg": b"broken"})
    assert library.http.get(f"{url}/cover").json()["code"] == "bad_picture"
    (library.incoming / "c.cbz").write_bytes(b"PK\x03\x04")
    for path in ("", "/cover", "/pages/0"):
        answer = library.http.get(library.url("c.cbz") + path)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_book")


@pytest.mark.parametrize("path", ["..", "../reader.sqlite", "/etc", ".git", "no", "a//b"])
@pytest.mark.parametrize("rest", ["", "/pages/0", "/cover", "/pages/0/thumbnail"])
def test_hostile_ids_are_unknown(library: Library, path: str, rest: str) -> None:
    answer = library.http.get(library.url(path) + rest)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_book")


def test_links_out_are_unknown(library: Library) -> None:
    outside = library.incoming.parent.parent / "outside"
    outside.mkdir()
    (outside / "1.png").write_bytes(picture())
    (library.incoming / "out").symlink_to(outside)
    (library.incoming / "book").mkdir()
    (library.incoming / "book" / "1.png").symlink_to(outside / "1.png")
    assert library.http.get(library.url("out")).status_code == 404
    assert library.http.get(library.url("out") + "/pages/0").status_code == 404
    answer: dict[str, Any] = library.http.get(library.url("book") + "/pages/0").json()
    assert answer["code"] == "bad_book"
