"""WS /ws/jobs/{id}: the whole state at once, then every change, in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from loopback import served
from memory_jobs import MemoryJobs
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from enlarger.jobs import Counts, JobSource, JobState, Submission
from enlarger.server.manga import build
from enlarger.server.manga.recipes import recipe_of
from enlarger.server.manga.wire import JobParams
from enlarger.settings import Settings


@pytest.fixture
def jobs(tmp_path: Path) -> MemoryJobs:
    return MemoryJobs(Settings(storage_dir=tmp_path / "storage"))


@pytest.fixture
def url(jobs: MemoryJobs) -> Iterator[str]:
    with served(jobs, build) as url:
        yield url


def submit(jobs: MemoryJobs) -> str:
    recipe = recipe_of(JobParams(), jobs.catalog)
    submission = Submission(JobSource("folder", jobs.storage.incoming / "x"), recipe, title="t", volume="v")
    return jobs.submit(submission)[0].id


def watching(url: str, job_id: str) -> ClientConnection:
    return connect(f"{url.replace('http', 'ws', 1)}/ws/jobs/{job_id}", additional_headers={"Authorization": "Bearer x"})


def told(socket: ClientConnection) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(socket.recv(timeout=20))
    return state


def test_the_whole_state_comes_at_once_as_http_tells_it(url: str, jobs: MemoryJobs) -> None:
    job_id = submit(jobs)
    with watching(url, job_id) as socket:
        assert told(socket) == httpx.get(f"{url}/jobs/{job_id}").json()


def test_every_change_is_told_once_and_in_order(url: str, jobs: MemoryJobs) -> None:
    job_id = submit(jobs)
    pages = 200
    with watching(url, job_id) as socket:
        states = [told(socket)]

        def work() -> None:
            jobs.move(job_id, JobState.RUNNING, "listed", counts=Counts(pages))
            for done in range(1, pages + 1):
                jobs.count(job_id, done, pages)
            jobs.move(job_id, JobState.PACKING, "packing")
            jobs.pack(job_id, b"zip", "ab" * 32)

        worker = threading.Thread(target=work)
        worker.start()
        while states[-1]["status"] != "SUCCESS":
            states.append(told(socket))
        worker.join()
    assert [state["processed"] for state in states if state["status"] == "RUNNING"] == list(range(pages + 1))
    assert [state["total"] for state in states] == [0, *[pages] * (pages + 2)]
    assert states[-1]["artifactHash"] == "ab" * 32


def test_a_resumed_job_goes_on_telling_on_the_same_connection(url: str, jobs: MemoryJobs) -> None:
    job_id = submit(jobs)
    with watching(url, job_id) as socket:
        told(socket)
        jobs.cancel(job_id)
        cancelled = told(socket)
        assert (cancelled["status"], cancelled["message"]) == ("FAILED", "Cancelled by user")
        jobs.retry(job_id)
        assert (told(socket)["status"], jobs.get(job_id).retries) == ("PENDING", 1)


def test_an_unknown_job_is_accepted_and_closed_with_4404(url: str) -> None:
    with watching(url, "nobody") as socket, pytest.raises(ConnectionClosed) as closed:
        told(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_a_job_that_is_deleted_closes_with_4404(url: str, jobs: MemoryJobs) -> None:
    job_id = submit(jobs)
    with watching(url, job_id) as socket:
        jobs.cancel(job_id)
        while told(socket)["status"] != "FAILED":
            pass
        jobs.delete(job_id)
        with pytest.raises(ConnectionClosed) as closed:
            told(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_a_client_that_talks_is_heard_out_and_one_that_goes_leaves_nothing(url: str, jobs: MemoryJobs) -> None:
    job_id = submit(jobs)
    with watching(url, job_id) as other:
        told(other)
        with watching(url, job_id) as socket:
            told(socket)
            socket.send("hello")
            socket.send(b"\0\1")
            jobs.count(job_id, 1, 2)
            assert told(socket)["processed"] == 1
        jobs.count(job_id, 2, 2)
        assert [told(other)["processed"], told(other)["processed"]] == [1, 2]
