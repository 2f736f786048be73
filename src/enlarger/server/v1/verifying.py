"""A job's artifact proven: its members against its report, its pages against what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enlarger.jobs import Verification, verify
from enlarger.messages import msg
from enlarger.server.refusals import GoneError, NotReadyError
from enlarger.server.v1.wire import VerificationView

if TYPE_CHECKING:
    from enlarger.jobs import Jobs


def verified(jobs: Jobs, job_id: str, language: str) -> VerificationView:
    """Reads all of it: slow for a large one. Raises UnknownJobError, NotReadyError, GoneError, InputError."""
    job = jobs.get(job_id)
    if job.artifact is None:
        raise NotReadyError(
            msg("Job {job} has no artifact.", job=job_id), msg("Jobs that make an archive have one once they are done.")
        )
    artifact = jobs.artifact_path(job)
    if not artifact.is_file():
        raise GoneError(
            msg("{name}: this file was removed.", name=artifact.name), msg("Submit the job again to have it made anew.")
        )
    source = job.submission.source.path
    against = source if source.exists() else None
    found = verify(artifact, against=against, settings=jobs.settings)
    return _view(found, language, source_compared=against is not None)


def _view(found: Verification, language: str, *, source_compared: bool) -> VerificationView:
    return VerificationView(
        ok=found.ok,
        matched=list(found.matched),
        missing=list(found.missing),
        extra=list(found.extra),
        mismatched=list(found.mismatched),
        failed=list(found.failed),
        problems=[difference.message.text(language) for difference in found.differences],
        source_compared=source_compared,
    )
