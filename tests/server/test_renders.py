"""Finished renders: kept for ever by clients, whole and by range, confirmed without a look at the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from loopback import serving

from enlarger.server import renders
from enlarger.server.hot_files import HotFiles
from enlarger.server.renders import RenderFiles
from loud_skips import missing

KEY = "5f" * 32


class Cache:
    """Renders by key, and how often one was looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

    def put(self, data: bytes, key: str = KEY, suffix: str = ".webp") -> Path:
        path = self.folder / f"{key}{suffix}"
        path.write_bytes(data)
        return path

    def find(self, key: str) -> Path | None:
        self.asked.append(key)
        return next(self.folder.glob(f"{key}.*"), None)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


@pytest.fixture
def http(cache: Cache) -> Iterator[httpx.Client]:
    with serving(RenderFiles(cache.find)) as url, httpx.Client(base_url=f"{url}/v1/renders") as client:
        yield client


def digest(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


def test_a_render_is_given_for_ever(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"pixels" * 1000)
    answer = http.get(f"/{KEY}")
    assert (answer.status_code, answer.content) == (200, b"pixels" * 1000)
    assert answer.headers["etag"] == digest(b"pixels" * 1000)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-length"] == "6000"


def test_it_is_looked_for_and_hashed_once(cache: Cache, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(b"pixels")
    http.get(f"/{KEY}")
    monkeypatch.setattr(hashlib, "file_digest", None)
    for _ in range(3):
        assert http.get(f"/{KEY}").content == b"pixels"
    assert cache.asked == [KEY]


def test_what_the_client_has_is_confirmed(cache: Cache, http: httpx.Client) -> None:
    path = cache.put(b"pixels")
    tag = digest(b"pixels")
    for _ in range(2):  # before it is known, and after
        answer = http.get(f"/{KEY}", headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert "immutable" in answer.headers["cache-control"]
    path.unlink()
    assert http.get(f"/{KEY}", headers={"If-None-Match": f'W/{tag}, "other"'}).status_code == 304
    assert http.get(f"/{KEY}", headers={"If-None-Match": '"other"'}).status_code == 404
    assert cache.asked == [KEY, KEY]


def test_a_file_that_changed_has_another_tag(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"pixels")
    http.get(f"/{KEY}")
    os.utime(cache.put(b"PIXELS"), (1, 1))
    answer = http.get(f"/{KEY}")
    assert (answer.content, answer.headers["etag"]) == (b"PIXELS", digest(b"PIXELS"))


def test_a_file_that_moved_is_found_again(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"pixels")
    http.get(f"/{KEY}")
    (cache.folder / f"{KEY}.webp").rename(cache.folder / f"{KEY}.png")
    answer = http.get(f"/{KEY}")
    assert (answer.content, answer.headers["content-type"]) == (b"pixels", "image/png")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=5-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("pages=1-2", 200, b"0123456789"),
        ("bytes=x", 200, b"0123456789"),
    ],
)
def test_ranges(cache: Cache, http: httpx.Client, asked: str, status: int, content: bytes | None) -> None:
    cache.put(b"0123456789")
    answer = http.get(f"/{KEY}", headers={"Range": asked})
    assert answer.status_code == status
    if content is not None:
        assert answer.content == content
    if status == 206:
        start = b"0123456789".index(content or b"")
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(content or b'') - 1}/10"


def test_a_range_of_another_version_is_not_given(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"0123456789")
    asked = {"Range": "bytes=0-3"}
    assert http.get(f"/{KEY}", headers={**asked, "If-Range": '"other"'}).content == b"0123456789"
    assert http.get(f"/{KEY}", headers={**asked, "If-Range": digest(b"0123456789")}).content == b"0123"


def test_a_large_render_comes_in_pieces(cache: Cache, http: httpx.Client) -> None:
    data = os.urandom(3_500_000)
    cache.put(data)
    assert http.get(f"/{KEY}").content == data
    assert http.get(f"/{KEY}", headers={"Range": "bytes=1000-2500000"}).content == data[1000:2500001]


def test_a_client_that_leaves_in_the_middle_leaves_no_file_open(cache: Cache, http: httpx.Client) -> None:
    path = cache.put(os.urandom(30_000_000))
    for _ in range(3):
        with http.stream("GET", f"/{KEY}") as answer:
            next(answer.iter_raw(1000))
    assert http.get(f"/{KEY}", headers={"Range": "bytes=0-0"}).status_code == 206
    descriptors = Path("/proc/self/fd")
    if descriptors.is_dir():
        _until(lambda: path not in [each.resolve() for each in descriptors.iterdir()])


def _until(is_so: Callable[[], bool]) -> None:
    import time

    for _ in range(500):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("a file stayed open")


def test_head_says_the_same_without_the_bytes(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"pixels")
    answer = http.head(f"/{KEY}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["content-length"], answer.headers["etag"]) == ("6", digest(b"pixels"))


@pytest.mark.parametrize("key", ["", "x", "../../etc/passwd", "%2e%2e%2fsecret", KEY[:-1], KEY + "0", KEY.upper(), "ÿ"])
def test_what_is_no_key_is_not_looked_for(cache: Cache, http: httpx.Client, key: str) -> None:
    answer = http.get(f"/{key}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]
    assert cache.asked == []


def test_an_unknown_key_is_told(http: httpx.Client) -> None:
    answer = http.get(f"/{'0' * 64}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_other_methods_are_refused(http: httpx.Client) -> None:
    assert http.post(f"/{KEY}").status_code == 405


def test_an_empty_file_is_given(cache: Cache, http: httpx.Client) -> None:
    cache.put(b"")
    assert http.get(f"/{KEY}").content == b""
    assert http.get(f"/{KEY}", headers={"Range": "bytes=-5"}).status_code == 200


# ---- asked for again ----


ONLY_LINUX = pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux reads without waiting")


@pytest.fixture
def reads_at_once(tmp_path: Path) -> None:
    """The tests' disk gives what is in memory without waiting."""
    (tmp_path / "probe").write_bytes(b"x")
    descriptor = os.open(tmp_path / "probe", os.O_RDONLY)
    try:
        assert os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except OSError:
        missing("a file system that reads without waiting")
    finally:
        os.close(descriptor)


@ONLY_LINUX
@pytest.mark.usefixtures("reads_at_once")
def test_what_is_asked_for_again_is_given_without_a_thread(
    cache: Cache, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hops: list[object] = []
    run = renders._threads.run

    async def counted(function: Callable[[], object]) -> object:
        hops.append(function)
        return await run(function)

    monkeypatch.setattr(renders._threads, "run", counted)
    data = bytes(range(256)) * 1000
    cache.put(data)
    for _ in range(3):
        assert http.get(f"/{KEY}").content == data
    assert http.get(f"/{KEY}", headers={"Range": "bytes=1000-1999"}).content == data[1000:2000]
    assert len(hops) == 1


def test_what_is_asked_for_again_is_the_same(cache: Cache, http: httpx.Client) -> None:
    data = bytes(range(256)) * 1000
    path = cache.put(data)
    for _ in range(3):
        assert http.get(f"/{KEY}").content == data
    part = http.get(f"/{KEY}", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert http.get(f"/{KEY}", headers={"Range": "bytes=999999-"}).status_code == 416
    assert http.head(f"/{KEY}").content == b""
    path.unlink()
    assert http.get(f"/{KEY}").status_code == 404  # an open file of ours does not outlive the cache's
    cache.put(data[::-1])
    assert http.get(f"/{KEY}").content == data[::-1]


def test_a_file_that_was_written_again_is_read_again(cache: Cache, http: httpx.Client) -> None:
    path = cache.put(b"a" * 1000)
    assert http.get(f"/{KEY}").content == b"a" * 1000
    path.write_bytes(b"b" * 1001)
    again = http.get(f"/{KEY}")
    assert (again.content, again.headers["etag"]) == (b"b" * 1001, digest(b"b" * 1001))


@ONLY_LINUX
@pytest.mark.usefixtures("reads_at_once")
def test_open_files_are_few_and_closed(tmp_path: Path) -> None:
    hot = HotFiles()
    for number in range(100):
        (tmp_path / str(number)).write_bytes(b"x" * number)
        hot.keep(str(number), os.open(tmp_path / str(number), os.O_RDONLY))
    assert len(hot) == len(open_below(tmp_path)) <= 32
    assert hot.read("0", range(1), lambda _: True) is None
    assert hot.read("99", range(100), lambda _: True) is None  # shorter than what is asked for
    assert hot.read("99", range(10), lambda _: False) is None  # another file by now: it is let go
    assert hot.read("99", range(10), lambda _: True) is None
    assert hot.read("98", range(90, 98), lambda _: True) == b"x" * 8
    del hot
    assert open_below(tmp_path) == []


def open_below(folder: Path) -> list[Path]:
    """Files there that this process has open: what else it opens and closes meanwhile is others' business."""
    links = [each.resolve() for each in Path("/proc/self/fd").iterdir()]
    return [path for path in links if path.is_relative_to(folder.resolve())]
