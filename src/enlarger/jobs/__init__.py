"""Jobs that survive anything: stored first, then queued by priority, rendered by workers, packed at the end."""

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

__all__ = [
    "Artifact",
    "Claim",
    "Counts",
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
    "slug",
]
