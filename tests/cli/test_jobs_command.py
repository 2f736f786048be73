"""`enlarger jobs` against a real server over the runtime without a network."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from command_running import SMALL_MODEL, Done, Enlarger, draw_folder, draw_page, finish, require_weights, spawn
from running_server import RunningServer, running

pytestmark = pytest.mark.weights
_FAKE = ("--model", SMALL_MODEL, "--device", "fake")


class Command(Enlarger):
    """The command beside a server."""

    server: RunningServer
    incoming: Path

    def submitted(self, *arguments: str | Path) -> str:
        """A job's id."""
        done = self("jobs", "submit", *arguments, *_FAKE)
        assert done.code == 0, done.err
        return done.out.strip()

    def waiting(self, *, pages: int = 3) -> str:
        """A job that will not begin: it is paused."""
        while True:
            job = self.submitted(draw_folder(self.incoming / uuid4().hex, pages).name)
            if httpx.post(f"{self.server.url}/v1/jobs/{job}/pause").is_success:  # not if it was done already
                return job

    def job(self, job_id: str) -> dict[str, Any]:
        return self("jobs", "show", job_id, "--json").json

    def settled(self, job_id: str, state: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while (job := self.job(job_id))["state"] != state:
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        return job


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    require_weights()
    with running(tmp_path_factory.mktemp("server")) as started:
        assert started.url
        yield started


@pytest.fixture
def enlarger(
    tmp_path: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    command = Command(tmp_path, monkeypatch, capsys)
    command.server, command.incoming = server, server.log.parent / "storage" / "incoming"
    monkeypatch.setenv("ENLARGER_SERVER", server.url.removeprefix("http://"))
    monkeypatch.delenv("ENLARGER_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return command


# ---- submit ----


def test_a_folder_of_the_server_becomes_a_volume(enlarger: Command) -> None:
    draw_folder(enlarger.incoming / "vol 1", 3)
    done = enlarger("jobs", "submit", "vol 1", "--title", "My Manga", "--volume", "1", "--watch", *_FAKE)
    assert done.code == 0, done.err
    job = enlarger.job(done.out.strip())
    assert (job["title"], job["volume"], job["state"], job["counts"]["done"]) == ("My Manga", "1", "done", 3)
    assert "3/3" in done.err
    assert "My Manga 1: done; pages: 3/3" in done.err


def test_options_decide_the_pixels(enlarger: Command) -> None:
    draw_page(enlarger.incoming / "one.png")
    options = ("--scale", "1.5", "--noise", "2", "--format", "webp", "--quality", "80", "--priority", "interactive")
    options += ("--container", "cbz")
    job = enlarger.job(enlarger.submitted("one.png", *options))
    recipe = {name: job["recipe"][name] for name in ("model", "scale", "noise", "format", "quality")}
    assert recipe == {"model": SMALL_MODEL, "scale": 1.5, "noise": 2, "format": "webp", "quality": 80}
    assert (job["priority"], job["device"], job["title"]) == ("interactive", "fake", "one")
    assert job["container"] == "cbz"


def test_a_path_here_is_found_by_the_server_here(enlarger: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_folder(enlarger.incoming / "sub" / "book", 1)
    monkeypatch.chdir(enlarger.incoming / "sub")
    assert enlarger.job(enlarger.submitted("book"))["source"]["path"] == "incoming/sub/book"


def test_files_are_sent_along(enlarger: Command, tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "[Group] Book", 12)
    draw_page(folder / "sub" / "last.png", 99)
    with zipfile.ZipFile(tmp_path / "volume.cbz", "w") as archive:
        archive.write(folder / "000.png", "a.png")
    done = enlarger("jobs", "submit", folder, "volume.cbz", "--upload", "--watch", *_FAKE)
    assert done.code == 0, done.err
    jobs = [enlarger.job(each) for each in done.out.split()]
    assert [(job["title"], job["counts"]["done"]) for job in jobs] == [("[Group] Book", 13), ("volume", 1)]
    pages = httpx.get(f"{enlarger.server.url}/v1/jobs/{jobs[0]['id']}/pages").json()["items"]
    assert [page["name"] for page in pages[:2]] == ["000.png", "001.png"]
    assert "sub/last.png" in {page["name"] for page in pages}


def test_what_is_not_there_is_refused_with_a_remedy(enlarger: Command, tmp_path: Path) -> None:
    done = enlarger("jobs", "submit", "nothing", *_FAKE)
    assert done.code == 3
    assert "nothing: there is no such file or folder." in done.err
    assert "incoming" in done.err
    done = enlarger("jobs", "submit", "nothing", "--upload")
    assert done.code == 3
    assert "--upload" in done.err
    draw_page(tmp_path / "outside.png")
    assert "ENLARGER_ALLOWED_DIRS" in enlarger("jobs", "submit", "outside.png", *_FAKE).err


def test_the_servers_refusals_are_told_in_the_readers_language(
    enlarger: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_page(enlarger.incoming / "one.png")
    done = enlarger("jobs", "submit", "one.png", "--model", "no-such-model", "--json")
    assert (done.code, done.json["error"]["code"]) == (4, "unknown_model")
    assert "no-such-model" in done.err
    monkeypatch.setenv("ENLARGER_LANGUAGE", "zh")
    told = enlarger("jobs", "submit", "one.png", "--model", "no-such-model").err
    assert any("\u4e00" <= sign <= "\u9fff" for sign in told.split("\n")[0].partition("no-such-model")[2])


# ---- look ----


def test_jobs_are_listed_and_filtered(enlarger: Command) -> None:
    title = uuid4().hex
    draw_page(enlarger.incoming / "one.png")
    ids = [enlarger.submitted("one.png", "--title", title, "--volume", str(number)) for number in range(3)]
    for job in ids:
        enlarger.settled(job, "done")
    listed = enlarger("jobs", "list", "--text", title, "--json").json["jobs"]
    assert [job["id"] for job in listed] == ids[::-1]
    assert len(enlarger("jobs", "list", "--text", title, "--limit", "2", "--json").json["jobs"]) == 2
    assert enlarger("jobs", "list", "--text", title, "--state", "failed").err == "There are no such jobs.\n"
    shown = enlarger("jobs", "list", "--text", title, "--state", "done", "--state", "paused").out
    assert all(job[:8] in shown for job in ids)
    assert f"{title} 2" in shown
    assert enlarger("jobs", "list", "--state", "nonsense").code != 0


def test_one_job_is_shown_with_the_pages_that_failed(enlarger: Command) -> None:
    folder = draw_folder(enlarger.incoming / uuid4().hex, 2)
    (folder / "broken.png").write_bytes(b"no picture")
    job = enlarger.submitted(folder.name, "--title", "Bad")
    done = enlarger("jobs", "watch", job)
    assert done.code == 1
    assert "broken.png: " in done.err or enlarger.job(job)["state"] == "partial"
    shown = enlarger("jobs", "show", job).out
    assert "State: done, some pages failed" in shown
    assert "Pages: 2/3 (1 failed)" in shown
    assert "\nbroken.png: " in shown
    assert "Archive: artifacts/bad-" in shown
    assert [page["name"] for page in enlarger.job(job)["failedPages"]] == ["broken.png"]


def test_an_id_may_be_shortened(enlarger: Command) -> None:
    job = enlarger.waiting()
    assert enlarger("jobs", "show", job[:8].upper(), "--json").json["id"] == job
    none = enlarger("jobs", "show", "zz")
    assert (none.code, "zz: there is no such job." in none.err) == (7, True)
    for number in range(17):  # more than there are hexadecimal digits: two begin alike
        enlarger.submitted(draw_page(enlarger.incoming / f"{number}.png").name)
    firsts = [found["id"][0] for found in enlarger("jobs", "list", "--json").json["jobs"]]
    several = next(sign for sign in firsts if firsts.count(sign) > 1)
    done = enlarger("jobs", "show", several)
    assert (done.code, "begin with “" in done.err) == (3, True)


# ---- steer ----


@pytest.mark.parametrize(("verb", "state"), [("resume", "done"), ("cancel", "cancelled")])
def test_a_paused_job_goes_on_or_ends(enlarger: Command, verb: str, state: str) -> None:
    job = enlarger.waiting()
    assert enlarger.job(job)["state"] == "paused"
    done = enlarger("jobs", verb, job[:8])
    assert done.code == 0
    assert done.err.startswith(f"{job[:8]}: ")
    enlarger.settled(job, state)


def test_a_cancelled_job_is_retried(enlarger: Command) -> None:
    job = enlarger.waiting()
    assert enlarger("jobs", "cancel", job).code == 0
    assert enlarger("jobs", "watch", job).code == 1  # it is over, and not whole
    assert enlarger("jobs", "retry", job).code == 0
    assert enlarger("jobs", "watch", job).code == 0
    assert enlarger.job(job)["counts"]["done"] == 3


def test_several_are_steered_and_what_is_refused_is_said(enlarger: Command) -> None:
    jobs = [enlarger.waiting(), enlarger.waiting()]
    done = enlarger("jobs", "resume", jobs[0], "zz", jobs[1], "--json")
    assert done.code == 7
    assert [job["id"] for job in done.json["jobs"]] == jobs
    assert done.json["errors"]["zz"]["code"] == "unknown_job"
    for job in jobs:
        enlarger.settled(job, "done")
    done = enlarger("jobs", "pause", jobs[0])
    assert done.code == 7  # it is over
    assert "Error: " in done.err


def test_a_deleted_job_is_gone(enlarger: Command) -> None:
    job = enlarger.waiting()
    enlarger("jobs", "cancel", job)
    assert enlarger("jobs", "delete", job).code == 0
    assert enlarger("jobs", "show", job).code == 7


# ---- a server that is not there, or not ours ----


def test_without_a_server_the_remedy_is_to_start_it(enlarger: Command) -> None:
    done = enlarger("jobs", "list", "--server", "http://127.0.0.1:9", "--json")
    assert done.code == 7
    assert "No server answers at http://127.0.0.1:9." in done.err
    assert "enlarger serve" in done.err
    assert done.json["error"]["code"] == "server"


def test_what_is_no_address_is_said(enlarger: Command) -> None:
    for url in ("ftp://x", "http://", "http://[", "nonsense::", "x:0", "x:many"):
        done = enlarger("jobs", "list", "--server", url)
        assert (done.code, f"“{url}” is not an address of a server." in done.err) == (2, True)


def test_another_program_at_the_address_is_noticed(enlarger: Command) -> None:
    done = enlarger("jobs", "list", "--server", f"{enlarger.server.url}/docs")
    assert done.code == 7
    assert "Error: " in done.err


def test_a_token_is_sent(enlarger: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "guarded", ENLARGER_TOKEN="friend") as guarded:
        monkeypatch.setenv("ENLARGER_SERVER", guarded.url)
        refused = enlarger("jobs", "list")
        assert refused.code == 7
        assert "Error: " in refused.err
        monkeypatch.setenv("ENLARGER_TOKEN", "friend")
        assert enlarger("jobs", "list").code == 0
        (tmp_path / "token").write_text("friend")
        monkeypatch.delenv("ENLARGER_TOKEN")
        monkeypatch.setenv("ENLARGER_TOKEN_FILE", str(tmp_path / "token"))
        assert enlarger("jobs", "list").code == 0


@pytest.mark.slow
def test_a_watch_goes_on_after_the_server_was_killed(
    enlarger: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = 60
    folder = tmp_path / "killed"
    draw_folder(folder / "storage" / "incoming" / "book", pages, side=200)
    with running(folder) as first:
        monkeypatch.setenv("ENLARGER_SERVER", first.url)
        port, job = first.port, enlarger.submitted("book")
        watching = spawn("jobs", "watch", job)
        _until(lambda: enlarger.job(job)["counts"]["done"] >= 3)
        first.process.kill()
        first.process.wait()
    with running(folder, port=port) as second:
        assert second.port == port
        done: Done = finish(watching)
    assert done.code == 0, done.err
    assert "The server is gone for the moment" in done.err
    told = [line for line in done.err.splitlines() if f"/{pages} " in line and line.endswith(".png")]
    assert len({line.split()[-1] for line in told}) == len(told)  # none comes twice
    assert told[-1].startswith(f"{pages}/{pages} ")


def _until(settled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not settled():
        assert time.monotonic() < deadline
        time.sleep(0.05)
