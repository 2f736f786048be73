"""A server's room of jobs on workers with the fake runtime: sources to enlarge, gates to hold pages at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_workers import page_file, recipe

from enlarger.jobs import Crew, Job, Jobs, JobSource, JobState, Page, PageState, Submission, WorkerSetup
from enlarger.settings import Settings

PATIENCE_S = 120.0  # the machine may be busy with other things


def server_settings(root: Path, **changes: Any) -> Settings:
    folders = {"data_dir": root / "data", "cache_dir": root / "cache", "storage_dir": root / "storage"}
    return Settings(**{**folders, "offline": True, "min_free_bytes": 0, **changes})


def folder_of(root: Path, *widths: int, seed: int = 0) -> Path:
    """A folder of pages of these widths, 01.png and so on: no two alike, unless made with one seed and width."""
    for n, width in enumerate(widths):
        page_file(root, f"{n + 1:02}.png", seed + n, width, 30 if width < 90 else width)
    return root


def volume(folder: Path, **changes: Any) -> Submission:
    return Submission(**{"source": JobSource("folder", folder), "recipe": recipe(), "title": folder.name, **changes})


@dataclass
class Room:
    """Started jobs, and the folder of the workers' gates (see `special_pages`)."""

    jobs: Jobs
    root: Path

    @property
    def gates(self) -> Path:
        return self.root / "gates"

    def submit(self, folder: Path, **changes: Any) -> str:
        return self.jobs.submit(volume(folder, **changes))[0].id

    def finished(self, job_id: str) -> Job:
        job = self.jobs.wait(job_id, PATIENCE_S)
        assert job.state.is_final, (job, self.jobs.states(), event_types(self.jobs, job_id))
        return job

    def becomes(self, job_id: str, state: JobState) -> Job:
        until(lambda: self.jobs.get(job_id).state is state, f"{self.jobs.get(job_id)} is not {state}")
        return self.jobs.get(job_id)

    def page_states(self, job_id: str) -> list[str]:
        return [page.state.value for page in self.jobs.pages(job_id)]

    def at_gate(self, job_id: str, width: int) -> Page:
        """The job's first page, once it is being computed and held."""
        until(lambda: self.begun(width), f"no page of {width} px began")
        return until(lambda: self.jobs.pages(job_id, states=[PageState.RUNNING]))[0]  # type: ignore[no-any-return]

    def open(self, width: int) -> None:
        (self.gates / str(width)).touch()

    def begun(self, width: int) -> int:
        """How often a page of that width came before the model."""
        return self._noted("begun", width)

    def computed(self, width: int) -> int:
        """How often one was computed to its end."""
        return self._noted("computed", width)

    def _noted(self, what: str, width: int) -> int:
        log = self.gates / what
        return log.read_text().splitlines().count(str(width)) if log.exists() else 0


def room_of(settings: Settings, graph: Path, root: Path, fetch: Any = None) -> Jobs:
    """Jobs that are not started. fetch: what brings weights, where the settings allow it."""
    (root / "gates").mkdir(exist_ok=True, parents=True)
    options = {"graph": str(graph), "folder": str(root / "gates")}
    crew = Crew(WorkerSetup(settings, "special_pages:make_enhancer", options))
    return Jobs(settings, crew=crew, **({"fetch": fetch} if fetch else {}))


@contextmanager
def running_room(
    graph: Path, root: Path, *, grace_s: float = 0.0, fetch: Any = None, **settings: Any
) -> Iterator[Room]:
    """A started room, none of whose workers is left at the end."""
    jobs = room_of(server_settings(root, **settings), graph, root, fetch)
    jobs.start()
    try:
        yield Room(jobs, root)
    finally:
        jobs.stop(grace_s=grace_s)


def until(holds: Callable[[], Any], what: str = "it never came") -> Any:
    """The first true value; gives up loudly."""
    end = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return value


def event_types(jobs: Jobs, job_id: str) -> list[str]:
    return [event.type for event in jobs.events(job_id)]
