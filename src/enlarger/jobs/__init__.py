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
    Page,
    PageResult,
    PageState,
    Priority,
    Submission,
)

__all__ = [
    "Artifact",
    "Claim",
    "Counts",
    "Event",
    "Failure",
    "Job",
    "JobSource",
    "JobState",
    "Page",
    "PageResult",
    "PageState",
    "Priority",
    "Submission",
]
