"""What a job of one page ended with, for whoever waits for its picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.errors import CancelledError
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import Job, PageResult
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.jobs.jobs import Jobs


@dataclass(frozen=True)
class OnlyPage:
    """The page of a job that is done, and its file."""

    result: PageResult
    file: Path


def only_page(jobs: Jobs, job: Job) -> OnlyPage | Failure:
    """The page of `job`, which is final and has one; else why there is none. Raises UnknownJobError.

    A page that fails is its job's reason; so is what failed the job itself, and left its page cancelled.
    """
    pages = jobs.pages(job.id, limit=1)
    if pages and pages[0].result is not None:
        return OnlyPage(pages[0].result, jobs.output_path(pages[0]))
    return job.reason or Failure.of(CancelledError(msg("Stopped on request.")))
