"""Jobs on workers with the fake runtime: sources to enlarge, and a server's room that ends with its test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fake_workers import page_file, recipe, setup

from enlarger.jobs import Crew, Job, Jobs, JobSource, Submission
from enlarger.settings import Settings

PATIENCE_S = 60.0


def server_settings(root: Path, **changes: Any) -> Settings:
    folders = {"data_dir": root / "data", "cache_dir": root / "cache", "storage_dir": root / "storage"}
    return Settings(**{**folders, "offline": True, "min_free_bytes": 0, **changes})


def folder_of(root: Path, pages: int, *, first_seed: int = 0, size: int = 30) -> Path:
    """A folder of small pages, 01.png and so on, no two alike unless the seeds are."""
    for n in range(pages):
        page_file(root, f"{n + 1:02}.png", first_seed + n, size, size)
    return root


def volume(folder: Path, **changes: Any) -> Submission:
    return Submission(**{"source": JobSource("folder", folder), "recipe": recipe(), "title": folder.name, **changes})


@contextmanager
def running_jobs(settings: Settings, graph: Path, **options: Any) -> Iterator[Jobs]:
    """A started room whose workers are as `options` say (see `fake_workers.make_enhancer`)."""
    jobs = Jobs(settings, crew=Crew(setup(settings, graph, **options)))
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop(grace_s=0.0)


def finished(jobs: Jobs, job_id: str) -> Job:
    job = jobs.wait(job_id, PATIENCE_S)
    assert job.state.is_final, job
    return job


def until(holds: Callable[[], Any], what: str = "") -> Any:
    """The first true value; gives up loudly."""
    end = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < end, what or "it never came"
        time.sleep(0.01)
    return value


def event_types(jobs: Jobs, job_id: str) -> list[str]:
    return [event.type for event in jobs.events(job_id)]
