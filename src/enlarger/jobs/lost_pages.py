"""Which finished pages are no longer on the disk as they were made: a person may have moved or edited them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from enlarger.errors import ArtifactError
from enlarger.jobs.job import Job, Page
from enlarger.jobs.storage_root import StorageRoot


def lost_pages(job: Job, done: Iterable[Page], storage: StorageRoot) -> tuple[str, ...]:
    """Names of pages of `done` that are gone or of another size; of other bytes, where packing found such a page."""
    thorough = job.reason is not None and job.reason.code == ArtifactError.code
    return tuple(page.name for page in done if not _is_there(storage.output_path(job, page), page, thorough=thorough))


def _is_there(file: Path, page: Page, *, thorough: bool) -> bool:
    assert page.result is not None
    try:
        if file.stat().st_size != page.result.bytes:
            return False
        if not thorough:
            return True
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == page.result.output_sha256
    except OSError:
        return False
