"""The downloader against servers that misbehave, over restarts, and among processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.errors import CancelledError, FetchError, StorageError
from enlarger.models.card import WeightFile
from enlarger.models.download import Part, download, mirrored
from file_server import FileServer, serving

CONTENT = random.Random(7).randbytes(1_000_000)
EXPECTED = WeightFile("weights.pth", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
AT_ONCE = (0.0, 0.0)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer(CONTENT)) as plan:
        yield plan


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.pth"


def fetch(server: FileServer, target: Path, expected: WeightFile = EXPECTED, **options: object) -> None:
    download(server.url, target, expected, waits_s=AT_ONCE, **options)  # type: ignore[arg-type]


def leftovers(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir() if not path.name.endswith(".lock")}


def test_a_whole_file_arrives_and_nothing_else_stays(server: FileServer, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(server, target, progress=lambda *bytes_: seen.append(bytes_))
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == {"weights.pth"}
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_a_file_that_is_there_is_not_asked_for(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    fetch(server, target)
    assert server.asked == []


def test_a_restart_continues_by_range(server: FileServer, target: Path) -> None:
    server.closes_after = [400_000]
    with pytest.raises(FetchError, match=r"weights\.pth: the download broke off.*continues where this one stopped"):
        download(server.url, target, EXPECTED, waits_s=())  # one attempt, then the process "ends"
    assert Part(target).size_bytes == 400_000
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=400000-"]
    assert server.asked[-1]["if-range"] == '"v1"'


def test_a_server_that_closes_midway_is_continued_in_the_same_call(server: FileServer, target: Path) -> None:
    server.closes_after = [300_000, 0, 300_000, 1, 1, 1]
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[1:4] == ["bytes=300000-", "bytes=300000-", "bytes=600000-"]


def test_a_server_that_ignores_range_is_read_from_the_start(server: FileServer, target: Path) -> None:
    server.keeps_range, server.closes_after = False, [300_000]
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=300000-"]


def test_a_server_that_ignores_range_and_always_closes_is_given_up(server: FileServer, target: Path) -> None:
    server.keeps_range, server.closes_after = False, [300_000] * 50
    with pytest.raises(FetchError, match="broke off"):
        fetch(server, target)
    assert len(server.asked) == 1 + len(AT_ONCE)
    assert not target.exists()


def test_a_body_without_length_that_ends_early_is_continued(server: FileServer, target: Path) -> None:
    server.sends_length, server.closes_after = False, [123_456]
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_changed_file_starts_over(server: FileServer, target: Path) -> None:
    server.content, server.etag, server.closes_after = bytes(len(CONTENT)), '"old"', [500_000]
    with pytest.raises(FetchError):
        download(server.url, target, EXPECTED, waits_s=())
    server.content, server.etag = CONTENT, '"new"'
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_weak_etag_is_not_offered_back(server: FileServer, target: Path) -> None:
    server.etag, server.closes_after = 'W/"v1"', [500_000]
    fetch(server, target)
    assert "if-range" not in server.asked[-1]


@pytest.mark.parametrize("answer", ["416", "another range"])
def test_a_range_that_is_refused_or_wrong_starts_over(server: FileServer, target: Path, answer: str) -> None:
    target.parent.mkdir()
    Part(target).path.write_bytes(CONTENT[:1000])
    server.statuses = [416] if answer == "416" else []
    server.range_shift = 0 if answer == "416" else 7
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", ""]


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    Part(target).path.write_bytes(CONTENT + b"more")
    fetch(server, target)
    assert server.ranges == [""]


def test_a_whole_part_needs_no_request(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    Part(target).path.write_bytes(CONTENT)
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.asked == []


def test_a_wrong_checksum_is_named_and_thrown_away(server: FileServer, target: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(FetchError, match=r"weights\.pth: the SHA-256 is .*--from FILE") as caught:
        fetch(server, target)
    assert EXPECTED.sha256 in str(caught.value)
    assert leftovers(target) == set()


@pytest.mark.parametrize("sends_length", [True, False])
def test_a_wrong_size_is_refused_at_once(server: FileServer, target: Path, sends_length: bool) -> None:
    server.content, server.sends_length = CONTENT + b"more", sends_length
    with pytest.raises(FetchError, match=r"weights\.pth: http.* bytes instead of 1000000"):
        fetch(server, target)
    assert len(server.asked) == 1
    assert leftovers(target) == set()


def test_a_refusal_is_final_and_a_busy_server_is_asked_again(server: FileServer, target: Path) -> None:
    server.statuses = [404]
    with pytest.raises(FetchError, match="answered 404"):
        fetch(server, target)
    assert len(server.asked) == 1
    server.statuses = [503, 429]
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_nobody_listening_is_a_clear_error(target: Path) -> None:
    with serving(FileServer(CONTENT)) as gone:
        pass
    with pytest.raises(FetchError, match=r"weights\.pth: the download broke off"):
        fetch(gone, target)


def test_a_full_disk_is_said_before_anything_is_asked(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=999_999))
    with pytest.raises(StorageError, match=r"1 MB are needed.*ENLARGER_DATA_DIR"):
        fetch(server, target)
    assert server.asked == []


def test_only_what_is_missing_needs_room(server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.parent.mkdir()
    Part(target).path.write_bytes(CONTENT[:600_000])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=400_000))
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_cancel_keeps_what_has_come(server: FileServer, target: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        fetch(server, target, cancel=cancel, progress=lambda *_: cancel.set())
    kept = Part(target).size_bytes
    assert 0 < kept < len(CONTENT)
    fetch(server, target)
    assert server.ranges[-1] == f"bytes={kept}-"
    assert target.read_bytes() == CONTENT


def test_a_proxy_that_makes_no_sense_is_named(server: FileServer, target: Path) -> None:
    with pytest.raises(FetchError, match=r"proxy cannot be used.*ENLARGER_PROXY"):
        fetch(server, target, proxy="nonsense://x")


def test_the_proxy_setting_is_used(server: FileServer, target: Path) -> None:
    proxy = server.url.removesuffix("/weights.pth")
    download("http://weights.invalid/file", target, EXPECTED, proxy=proxy, waits_s=())
    assert server.asked[0]["host"] == "weights.invalid"


def _in_a_process(url: str, target: str) -> None:
    download(url, Path(target), EXPECTED, waits_s=AT_ONCE)


def test_two_processes_download_once(server: FileServer, target: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    both = [spawn.Process(target=_in_a_process, args=(server.url, str(target))) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("", "https://host.example/a/b.pth?c=d"),
        ("http://mirror.example:81", "http://mirror.example:81/a/b.pth?c=d"),
        ("https://mirror.example/github/", "https://mirror.example/github/a/b.pth?c=d"),
    ],
)
def test_a_mirror_takes_the_place_of_scheme_and_host(mirror: str, expected: str) -> None:
    assert mirrored("https://host.example/a/b.pth?c=d", mirror) == expected


def test_a_mirror_must_be_a_base_url() -> None:
    with pytest.raises(FetchError, match=r"“ftp://x” is not a base URL.*ENLARGER_MIRROR"):
        mirrored("https://host.example/a", "ftp://x")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 400_000), max_size=6), keeps_range=st.booleans(), sends_length=st.booleans())
def test_however_often_it_breaks_off_the_file_is_whole_or_absent(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], keeps_range: bool, sends_length: bool
) -> None:
    target = tmp_path_factory.mktemp("cuts") / "weights.pth"
    plan = FileServer(CONTENT, keeps_range=keeps_range, sends_length=sends_length, closes_after=cuts)
    with serving(plan):
        for _ in range(8):
            try:
                download(plan.url, target, EXPECTED, waits_s=())
            except FetchError:
                assert not target.exists()
            else:
                break
    assert target.read_bytes() == CONTENT
