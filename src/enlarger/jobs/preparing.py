"""What happens to a job before its first page and after its last: its source is listed, its artifact packed."""

from __future__ import annotations

import logging

from enlarger.cancel import CancelToken
from enlarger.errors import CancelledError, DiskFullError, EnlargerError, JobError
from enlarger.jobs.artifact import pack
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import ALL, Job
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.listing import list_pages
from enlarger.jobs.storage_root import StorageRoot
from enlarger.messages import msg
from enlarger.settings import Settings

_log = logging.getLogger(__name__)


def list_job(ledger: Ledger, storage: StorageRoot, job: Job, settings: Settings) -> None:
    """Store the job's pages, or fail it with what its source's trouble is; raises StorageError."""
    try:
        storage.check_links(job.submission.source.path)  # at its submission it need not have been there
        pages = list_pages(job.submission, settings)
    except EnlargerError as error:
        _fail(ledger, job, Failure.of(error))
        return
    except Exception as error:  # an archive may be broken in ways that its library never thought of
        _log.exception("a source could not be listed", extra={"job": job.id})
        _fail(ledger, job, unforeseen(job, error))
        return
    try:
        ledger.add_pages(job.id, pages, retries=job.retries)
    except JobError:  # deleted meanwhile
        return


def pack_job(ledger: Ledger, storage: StorageRoot, job: Job, settings: Settings, cancel: CancelToken) -> None:
    """Build the job's artifact and end the job; raises DiskFullError, since room may come."""
    try:
        artifact = pack(job, ledger.pages(job.id, limit=ALL), storage=storage, settings=settings, cancel=cancel)
        ledger.packed(job.id, artifact, retries=job.retries)
    except CancelledError:  # the server stops: packed anew when it starts again
        return
    except DiskFullError:
        raise
    except EnlargerError as error:
        _log.warning("a job could not be packed: %s", error.text("en"), extra={"job": job.id})
        _fail(ledger, job, Failure.of(error))


def _fail(ledger: Ledger, job: Job, failure: Failure) -> None:
    try:
        ledger.fail_job(job.id, failure)
    except JobError:  # deleted meanwhile
        return


def unforeseen(job: Job, error: Exception) -> Failure:
    """What to tell of a job that met what nobody thought of."""
    return Failure(
        "internal",
        msg(
            "{path}: something unforeseen happened ({error}).",
            path=job.submission.source.path,
            error=f"{type(error).__name__}: {error}",
        ),
        msg("This is a mistake in Enlarger; please report it."),
    )
