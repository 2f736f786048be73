"""The web application: its files for ever or never kept, its page below any prefix, and nothing outside its folder."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import run
from asking import asked
from loopback import serving
from memory_jobs import MemoryJobs
from starlette.applications import Starlette

from enlarger.server import create_app
from enlarger.server.ui import Ui

SCRIPT = b"console.log(1);\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build, and beside it what nobody may see."""
    files = {
        "index.html": b'<HEAD lang="x"><base href="/other/" /><script src="assets/a-1f.js"></script></head>',
        "assets/a-1f.js": SCRIPT,
        "assets/dot.png": b"\x89PNG",
        "icon.svg": b"<svg/>",
    }
    for name, data in files.items():
        (tmp_path / "ui" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ui" / name).write_bytes(data)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "ui-secret").mkdir()
    (tmp_path / "ui-secret" / "x.txt").write_text("secret")
    (tmp_path / "ui" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path / "ui"


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def once() -> httpx.Response:
        app = Starlette()
        app.router.default = Ui(folder)
        async with asked(app) as http:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, path, headers={"Accept-Encoding": "identity", **named})

    return run(once)


def test_hashed_files_are_kept_for_ever_and_others_asked_for_again(folder: Path) -> None:
    script = ask(folder, "/ui/assets/a-1f.js")
    assert (script.content, script.headers["content-type"]) == (SCRIPT, "text/javascript; charset=utf-8")
    assert "immutable" in script.headers["cache-control"]
    assert ask(folder, "/ui/icon.svg").headers["cache-control"] == "no-cache"
    assert ask(folder, "/ui/assets/a-1f.js", If_None_Match=script.headers["etag"]).status_code == 304
    assert ask(folder, "/ui/assets/a-1f.js", "HEAD").headers["content-length"] == str(len(SCRIPT))
    assert ask(folder, "/ui/assets/a-1f.js", "POST").status_code == 405


def test_who_takes_gzip_is_given_it(folder: Path) -> None:
    answer = ask(folder, "/ui/assets/a-1f.js", Accept_Encoding="br, gzip")
    assert (answer.headers["content-encoding"], answer.content) == ("gzip", SCRIPT)
    assert int(answer.headers["content-length"]) == len(gzip.compress(SCRIPT, 9, mtime=0))
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = ask(folder, "/ui/assets/a-1f.js", Accept_Encoding="gzip;q=0, br")
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != answer.headers["etag"]
    assert "content-encoding" not in ask(folder, "/ui/assets/dot.png", Accept_Encoding="gzip").headers


@pytest.mark.parametrize("path", ["/ui/", "/ui/read/abc", "/ui/index.html", "/ui/settings/"])
def test_every_route_is_the_page_that_knows_where_it_lies(folder: Path, path: str) -> None:
    page = ask(folder, path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-cache"
    assert '<HEAD lang="x"><base href="/ui/"><script' in page.text
    assert "base-uri 'self'" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in re.sub("style-src[^;]*;", "", page.headers["content-security-policy"])


@pytest.mark.parametrize(
    "path",
    [
        "/ui/../secret.txt",
        "/ui/%2e%2e/secret.txt",
        "/ui/..%2fsecret.txt",
        "/ui/assets/..%2f..%2fsecret.txt",
        "/ui/..\\secret.txt",
        "/ui//etc/passwd.txt",
        "/ui/%00.txt",
        "/ui/link.txt",
        "/ui/-secret/x.txt",
        "/ui-secret/x.txt",
        "/ui/missing.js",
        "/ui/assets/a-1f.js%0a.txt",
    ],
)
def test_nothing_else_is_given_out(folder: Path, path: str) -> None:
    answer = ask(folder, path)
    assert "secret" not in answer.text
    assert answer.status_code == 404


def test_a_new_build_is_seen(folder: Path) -> None:
    assert ask(folder, "/ui/icon.svg").status_code == 200

    async def twice() -> list[str]:
        app = Starlette()
        app.router.default = Ui(folder)
        async with asked(app) as http:
            first = await http.get("/ui/")
            (folder / "index.html").write_bytes(b"<head></head>new")
            os.utime(folder / "index.html", ns=(1, 1))
            return [first.text, (await http.get("/ui/")).text]

    assert run(twice)[1] == '<head><base href="/ui/"></head>new'


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    answer = ask(tmp_path / "none", "/ui/")
    assert answer.status_code == 503
    assert "make web" in answer.text
    assert "网页界面" in answer.text
    assert 'href="/docs"' in answer.text
    assert "<script" not in answer.text


@pytest.fixture
def prefixed(memory: Callable[..., MemoryJobs], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("enlarger.server.ui.Ui.__init__.__defaults__", (folder,))
    jobs: Any = memory(token="secret-token")
    with serving(create_app(jobs.settings, jobs), "/some where") as url:
        yield url


def test_below_a_prefix_and_with_a_token_the_page_comes_and_then_asks_for_it(prefixed: str) -> None:
    asking = {"Accept": "text/html"}
    front = httpx.get(f"{prefixed}/", headers=asking)
    assert (front.status_code, front.headers["location"]) == (307, "/some%20where/ui/")
    assert httpx.get(f"{prefixed}/ui").headers["location"] == "/some%20where/ui/"
    assert '<base href="/some%20where/ui/">' in httpx.get(f"{prefixed}/ui/read/1").text
    assert httpx.get(f"{prefixed}/ui/assets/a-1f.js").content == SCRIPT
    assert httpx.get(f"{prefixed}/v1/jobs").status_code == 401
    with httpx.Client() as browser:
        assert browser.post(f"{prefixed}/v1/session", json={"token": "secret-token"}).status_code == 204
        assert browser.get(f"{prefixed}/v1/jobs").status_code == 200
