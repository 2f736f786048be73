"""Ledgers for tests: a fresh one in no time, jobs in any state, pages and results to put into them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from enlarger.enhance import Recipe
from enlarger.jobs import Artifact, Failure, Job, JobSource, JobState, NewPage, PageResult, Priority, Submission
from enlarger.jobs.ledger import Ledger, open_ledger
from enlarger.messages import msg

RECIPE = Recipe("waifu2x-cunet", None, 2.0)
BROKEN = Failure("bad_picture", msg("{page}: broken.", page="a.png"), msg("Fetch it again."))
ARTIFACT = Artifact("artifacts/x.zip", "ab" * 32, 5000)
NO_LIMIT = 1_000_000


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        open_ledger(path).close()
        return path.read_bytes()


def new_ledger(folder: Path, clock: Callable[[], float] | None = None) -> Ledger:
    """An empty ledger, copied from one that was made once; its clock goes on by a second at each change."""
    path = folder / "ledger.sqlite"
    path.write_bytes(_template())
    return open_ledger(path, clock=clock or count(1000).__next__)


def memory_disk() -> str | None:
    """A folder in memory where there is one: thousands of small commits are not what these tests are about."""
    return "/dev/shm" if Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 50_000_000 else None


def submission(**changes: Any) -> Submission:
    return Submission(**{"source": JobSource("folder", Path("/books/one")), "recipe": RECIPE, **changes})


def new_pages(*names: str) -> list[NewPage]:
    return [NewPage(name, {".png": f"{name}.png", ".jpg": f"{name}.jpg"}) for name in names]


def result(name: str, size: int = 100) -> PageResult:
    return PageResult(
        f"{name}.png", "aa" * 32, "bb" * 32, size, "cc" * 32, 0.5, computed=True, facts={"runtime": "fake"}
    )


def add_job(ledger: Ledger, *names: str, **changes: Any) -> str:
    """A job, listed if there are names."""
    job, created = ledger.submit(submission(**changes), most_waiting=NO_LIMIT)
    assert created
    if names:
        ledger.add_pages(job.id, new_pages(*names))
    return job.id


def work(ledger: Ledger, times: int = NO_LIMIT, *, fails: tuple[str, ...] = (), size: int = 100) -> list[str]:
    """Claim and end pages until there are none; their names."""
    names: list[str] = []
    while len(names) < times and (claim := ledger.claim(worker="w", idle=True)) is not None:
        name = claim.page.name
        assert ledger.fail(claim, BROKEN) if name in fails else ledger.finish(claim, result(name, size))
        names.append(name)
    return names


def job_in(ledger: Ledger, state: JobState) -> Job:
    """A job with pages, in that state; more urgent than any other."""
    urgent = {"priority": Priority.READING, "packs": state is JobState.PACKING}
    job_id = add_job(ledger, "a", "b", "c", **urgent)
    steps: dict[JobState, Callable[[], object]] = {
        JobState.QUEUED: lambda: None,
        JobState.RUNNING: lambda: work(ledger, 1),
        JobState.PAUSED: lambda: ledger.pause(job_id),
        JobState.PACKING: lambda: work(ledger, 3),
        JobState.DONE: lambda: work(ledger, 3),
        JobState.PARTIAL: lambda: work(ledger, 3, fails=("b",)),
        JobState.FAILED: lambda: work(ledger, 3, fails=("a", "b", "c")),
        JobState.CANCELLED: lambda: (work(ledger, 1), ledger.cancel(job_id)),
    }
    steps[state]()
    job = ledger.get(job_id)
    assert job.state is state
    return job


def types(ledger: Ledger, job_id: str) -> list[str]:
    return [event.type for event in ledger.events(job_id)]
