"""Jobs that survive anything: stored first, then queued by priority, rendered by workers, packed at the end."""

from typing import TYPE_CHECKING

from enlarger.jobs.artifact import pack
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
from enlarger.jobs.job_news import JobNews
from enlarger.jobs.network_disks import network_type
from enlarger.jobs.one_page import OnlyPage, only_page
from enlarger.jobs.pulls import Pull, Pulls, PullState
from enlarger.jobs.report import REPORT_NAME, build_report, comparable
from enlarger.jobs.sqlite_trouble import SqliteTrouble, sqlite_trouble
from enlarger.jobs.storage_root import StorageRoot, slug
from enlarger.jobs.verify import Difference, Verification, verify
from enlarger.jobs.worker import WorkerSetup

if TYPE_CHECKING:
    from enlarger.jobs.jobs import Jobs
else:

    def __getattr__(name: str) -> object:
        """The face when it is asked for: workers and commands import this room too, and need no database for it."""
        if name != "Jobs":
            raise AttributeError(name)
        from enlarger.jobs.jobs import Jobs

        return Jobs


__all__ = [
    "REPORT_NAME",
    "Artifact",
    "Claim",
    "Counts",
    "Crew",
    "Difference",
    "Event",
    "Failure",
    "Job",
    "JobNews",
    "JobSource",
    "JobState",
    "Jobs",
    "NewPage",
    "OnlyPage",
    "Page",
    "PageResult",
    "PageState",
    "Priority",
    "Pull",
    "PullState",
    "Pulls",
    "SqliteTrouble",
    "StorageRoot",
    "Submission",
    "Verification",
    "WorkerSetup",
    "WorkerState",
    "build_report",
    "comparable",
    "network_type",
    "only_page",
    "pack",
    "slug",
    "sqlite_trouble",
    "verify",
]
