"""Why the ledger refuses, in sentences for people."""

from __future__ import annotations

from enlarger.errors import IdempotencyError, IllegalMoveError, InputError, QueueFullError, UnknownJobError
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import JobState
from enlarger.messages import Message, msg


def unknown_job(job_id: str) -> UnknownJobError:
    """No such job."""
    return UnknownJobError(
        msg("There is no job {job}.", job=job_id),
        msg("The list of jobs shows those there are; finished ones may be deleted."),
    )


def unknown_page(job_id: str, position: int) -> UnknownJobError:
    """The job has no page there."""
    return UnknownJobError(
        msg("Job {job} has no page {position}.", job=job_id, position=position),
        msg("Pages count from 0, and are known once the source has been listed."),
    )


def illegal_move(job_id: str, state: JobState, remedy: Message) -> IllegalMoveError:
    """The job's state does not allow what was asked; `remedy` says which would."""
    return IllegalMoveError(msg("Job {job} is in the state “{state}”.", job=job_id, state=state_word(state)), remedy)


def queue_full(waiting: int, most: int) -> QueueFullError:
    """Too much is waiting."""
    return QueueFullError(
        msg("{waiting} jobs are waiting already, and no more than {most} may.", waiting=waiting, most=most),
        msg("Try again when some have finished, or raise ENLARGER_MAX_WAITING_JOBS."),
    )


def key_was_used(key: str) -> IdempotencyError:
    """An idempotency key came again with another request."""
    return IdempotencyError(
        msg("The idempotency key “{key}” was used for another request.", key=key),
        msg("Use a new key for a new request, and the old key only to repeat the old one."),
    )


def id_is_taken(job_id: str) -> IdempotencyError:
    """A job has that id."""
    return IdempotencyError(msg("There is a job {job} already.", job=job_id), msg("Submit it with another id."))


def bad_cursor(cursor: str) -> InputError:
    """A place in the list that the ledger never gave."""
    return InputError(msg("“{cursor}” is not a valid cursor.", cursor=cursor), msg("Start again without a cursor."))


def worker_died(name: str, times: int) -> Failure:
    """A page that is given up."""
    return Failure(
        "worker_died",
        msg("{page}: {times} worker processes died while they worked on this page alone.", page=name, times=times),
        msg("Enlarge it by itself with a smaller tile. The server's log tells how they died."),
    )


def not_one_succeeded(total: int, first: Failure) -> Failure:
    """A job that gave nothing."""
    if total == 1:
        return first
    return Failure(
        first.code,
        msg("None of {total} pages could be enlarged. The first error: {error}", total=total, error=first.message),
        first.remedy,
    )


def state_word(state: JobState) -> Message:
    """The state as people say it."""
    words = {
        JobState.QUEUED: msg("waiting"),
        JobState.RUNNING: msg("running"),
        JobState.PAUSED: msg("paused"),
        JobState.PACKING: msg("being packed"),
        JobState.DONE: msg("done"),
        JobState.PARTIAL: msg("done, some pages failed"),
        JobState.FAILED: msg("failed"),
        JobState.CANCELLED: msg("cancelled"),
    }
    return words[state]
