"""Jobs that survive anything: stored first, then queued by priority, rendered by workers, packed at the end."""

from enlarger.jobs.crew import Crew
from enlarger.jobs.crew_member import WorkerState
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import (
    Artifact,
    Claim,
    Counts,
    Event,
    Job,
    JobSource,
    JobState,
    NewPage,
    Page,
    PageResult,
    PageState,
    Priority,
    Submission,
)
from enlarger.jobs.storage_root import StorageRoot, slug
from enlarger.jobs.worker import WorkerSetup

__all__ = [
    "Artifact",
    "Claim",
    "Counts",
    "Crew",
    "Event",
    "Failure",
    "Job",
    "JobSource",
    "JobState",
    "NewPage",
    "Page",
    "PageResult",
    "PageState",
    "Priority",
    "StorageRoot",
    "Submission",
    "WorkerSetup",
    "WorkerState",
    "slug",
]
