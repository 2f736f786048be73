"""What the manga contract's calls do to jobs. Plain functions: they may block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from enlarger.errors import IllegalMoveError, UnknownModelError
from enlarger.jobs import Job, JobSource, JobState, Submission
from enlarger.messages import msg
from enlarger.server.manga.recipes import device_of, recipe_of
from enlarger.server.manga.states import OWNER, states_of
from enlarger.server.manga.wire import InputType, JobCreate, JobResume, Status

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_KINDS: Mapping[InputType, Literal["folder", "archive"]] = {"folder": "folder", "zip": "archive"}
_UNCHANGED = (JobState.RUNNING, JobState.PACKING, JobState.DONE)
_WAITING = (JobState.QUEUED, JobState.PAUSED)


class MangaService:
    """The contract's verbs over `jobs`."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def submit(self, wanted: JobCreate) -> Job:
        """Store the job; raises InputError for a path outside, RecipeError, UnknownModelError, QueueFullError.

        A source that is not there yet is taken: the job fails and says so, and resume may name another.
        """
        submission = Submission(
            source=JobSource(_KINDS[wanted.input.type], self.jobs.storage.resolve(wanted.input.path, must_exist=False)),
            recipe=recipe_of(wanted.params, self.jobs.catalog),
            title=wanted.title,
            volume=wanted.volume,
            device=device_of(wanted.params),
            owner=OWNER,
            params=wanted.params.model_dump(by_alias=True),
        )
        return self.jobs.submit(submission)[0]

    def find(self, status: Status | None, before: str, limit: int) -> tuple[list[Job], str]:
        """Jobs that show as `status`, or all, newest first, and the cursor of the next page or ""."""
        return self.jobs.find(states=states_of(status) if status else (), before=before, limit=limit)

    def resume(self, job_id: str, wanted: JobResume) -> Job:
        """Back to work, what is done stays done; a running or complete job is returned as it is."""
        job = self.jobs.get(job_id)
        if job.state in _UNCHANGED:
            return job
        source = self._source(job, wanted)
        if job.state not in _WAITING:
            return self.jobs.retry(job_id, source)
        if source is not None:
            raise _waits()
        return self.jobs.resume(job_id) if job.state is JobState.PAUSED else job

    def cancel(self, job_id: str) -> Job:
        """Stop it for good; a job that has ended stays as it ended."""
        try:
            return self.jobs.cancel(job_id)
        except IllegalMoveError:
            return self.jobs.get(job_id)

    def delete(self, job_id: str) -> None:
        """Remove the job and all its files; raises IllegalMoveError while it runs."""
        self.jobs.delete(job_id)

    def _source(self, job: Job, wanted: JobResume) -> JobSource | None:
        """The source to go on with where it is another one."""
        old = job.submission.source
        kind = old.kind if wanted.input_type is None else _KINDS[wanted.input_type]
        path = old.path if wanted.input_path is None else self.jobs.storage.resolve(wanted.input_path, must_exist=False)
        source = JobSource(kind, path)
        return None if source == old else source


def _waits() -> IllegalMoveError:
    return IllegalMoveError(
        msg("The input of a waiting job cannot be changed."), msg("Cancel it first, then resume it with the new input.")
    )


def location_of(error: Exception) -> tuple[str, ...]:
    """Where in a submission's body the fault lies."""
    return ("params", "model") if isinstance(error, UnknownModelError) else ("params",)
