"""Servers for tests: the whole application over real jobs with the fake runtime, and over jobs kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from blockbuster import blockbuster_ctx
from fake_workers import make_graph
from job_making import Room, running_room
from loopback import served, serving
from memory_jobs import MemoryJobs

from enlarger.errors import JobError
from enlarger.jobs import JobState
from enlarger.server import create_app
from enlarger.settings import Settings

_UNFINISHED = [state for state in JobState if not state.is_final]


@pytest.fixture(autouse=True, scope="session")
def _nothing_blocks() -> Iterator[None]:
    """A blocking call on an event loop, in whatever code that ours leads to, fails the request that makes it."""
    with blockbuster_ctx("enlarger"):
        yield


class Service:
    """A running server: its jobs, and clients of it."""

    def __init__(self, room: Room, url: str) -> None:
        self.room, self.url = room, url
        self.http = httpx.Client(base_url=url, timeout=60)

    def folder(self, name: str) -> Path:
        """A folder below incoming/, as people fill it."""
        return self.room.jobs.storage.incoming / name


@pytest.fixture
def service(_service: Service) -> Iterator[Service]:
    """The running server, with nothing left in hand by whatever test came before."""
    yield _service
    for book in _service.http.get("/v1/reader").json()["openBooks"]:
        _service.http.delete(f"/v1/reader/books/{book}")
    jobs = _service.room.jobs
    for job in jobs.find(transient=True, limit=500)[0]:
        with suppress(JobError):  # it ended, or was forgotten, in this moment
            if job.state in _UNFINISHED:
                jobs.cancel(job.id)
            if job.submission.transient:  # a later test counts what is kept
                jobs.delete(job.id)


@pytest.fixture(scope="session")
def _service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application behind uvicorn, over real jobs, one worker process and the fake runtime."""
    root = tmp_path_factory.mktemp("service")
    with running_room(make_graph(root), root) as room:
        app = create_app(room.jobs.settings, _Lent(room.jobs))
        with serving(app) as url:
            running = Service(room, url)
            yield running
            running.http.close()


class _Lent:
    """Jobs that outlive the server: the room starts and stops them."""

    def __init__(self, jobs: Any) -> None:
        self._jobs = jobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def start(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture(scope="module")
def facade(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MemoryJobs, str]]:
    """The facade that the test's module calls FACADE, over jobs in memory: those, and its URL."""
    jobs = MemoryJobs(Settings(storage_dir=tmp_path_factory.mktemp("server") / "storage"))
    with served(jobs, request.module.FACADE.build) as url:
        yield jobs, url


@pytest.fixture
def jobs(facade: tuple[MemoryJobs, str]) -> MemoryJobs:
    """The facade's jobs, as new."""
    facade[0].reset()
    return facade[0]


@pytest.fixture
def client(jobs: MemoryJobs, facade: tuple[MemoryJobs, str]) -> Iterator[httpx.Client]:
    """A client of the facade that speaks English."""
    with httpx.Client(base_url=facade[1], headers={"Accept-Language": "en"}) as client:
        yield client


@pytest.fixture
def memory(tmp_path: Path) -> Callable[..., MemoryJobs]:
    """Jobs in memory, for the settings given."""

    def made(**settings: Any) -> MemoryJobs:
        folders = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache", "storage_dir": tmp_path / "storage"}
        return MemoryJobs(Settings(**{**folders, "offline": True, "min_free_bytes": 0, **settings}))

    return made
