"""Our jobs told in the manga contract's four states.

Its client watches until SUCCESS or FAILED and then wants the artifact, or the reason. So a job some of whose pages
failed is a SUCCESS whose message counts them: the artifact with all the others is there. A cancelled one is FAILED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enlarger.jobs import Artifact, Counts, Event, Job
from enlarger.jobs import JobState as State
from enlarger.messages import Message, msg
from enlarger.server.manga.recipes import device_note
from enlarger.server.manga.wire import JobParams, JobReport, JobState, Metadata, Status

OWNER = "manga"
CANCELLED = "Cancelled by user"  # the contract's words, in every language

_STATUS: Mapping[State, Status] = {
    State.QUEUED: "PENDING",
    State.PAUSED: "PENDING",
    State.RUNNING: "RUNNING",
    State.PACKING: "RUNNING",
    State.DONE: "SUCCESS",
    State.PARTIAL: "SUCCESS",
    State.FAILED: "FAILED",
    State.CANCELLED: "FAILED",
}


def states_of(status: Status) -> tuple[State, ...]:
    """The states that show as `status`."""
    return tuple(state for state, shown in _STATUS.items() if shown == status)


def job_state(job: Job, language: str) -> JobState:
    """The job as the contract's JobState; messages in `language`."""
    artifact = finished_artifact(job)
    submission = job.submission
    return JobState(
        job_id=job.id,
        status=_STATUS[job.state],
        processed=job.counts.processed,
        total=job.counts.total,
        artifact_path=artifact and artifact.path,
        artifact_hash=artifact and artifact.sha256,
        message=_message(job, language),
        retries=job.retries,
        last_error=_last_error(job, language),
        params=_params(job),
        metadata=Metadata(title=submission.title, volume=submission.volume),
    )


def job_report(job: Job, language: str) -> JobReport:
    """The contract's report."""
    return JobReport.model_validate(job_state(job, language).model_dump(include=set(JobReport.model_fields)))


def finished_artifact(job: Job) -> Artifact | None:
    """The archive a client may fetch: not one that a resumed job is about to replace."""
    return job.artifact if job.state in (State.DONE, State.PARTIAL) else None


def at_event(job: Job, event: Event) -> Job:
    """`job`, read at the event or later, as it stood after it."""
    data = event.data
    counts = Counts(data["total"], data["done"], data["failed"], data["cancelled"])
    return replace(job, state=State(data["state"]), counts=counts, last_event=event.number)


def _params(job: Job) -> JobParams | None:
    """What this contract's client sent; other interfaces' jobs have parameters of another shape."""
    return JobParams.model_validate(job.submission.params) if job.submission.owner == OWNER else None


def _message(job: Job, language: str) -> str | None:
    story, note = _story(job, language), _device_note(job)
    return story if story is not None or note is None else note.text(language)


def _last_error(job: Job, language: str) -> str | None:
    paused_by_a_person = job.state is State.PAUSED and job.reason is None
    return None if paused_by_a_person else _story(job, language)


def _story(job: Job, language: str) -> str | None:
    """Why the job is not simply on its way or done."""
    match job.state:
        case State.CANCELLED:
            return CANCELLED
        case State.PAUSED | State.FAILED if job.reason is not None:
            return job.reason.text(language)
        case State.PAUSED:
            return msg("Paused; resume continues it.").text(language)
        case State.FAILED:
            return msg("The job failed.").text(language)
        case State.PARTIAL:
            return _missing_pages(job.counts).text(language)
        case _:
            return None


def _missing_pages(counts: Counts) -> Message:
    return msg(
        "{failed} of {total} pages failed and are not in the artifact; resume tries them again.",
        failed=counts.failed,
        total=counts.total,
    )


def _device_note(job: Job) -> Message | None:
    params = _params(job)
    return None if params is None or (job.state.is_final and job.state is not State.DONE) else device_note(params)
