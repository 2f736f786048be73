"""Which finished jobs are deleted without being asked to: by age, by size, and transient ones after an hour."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from enlarger.errors import JobError, StorageError
from enlarger.jobs.ledger import Ledger
from enlarger.settings import Settings

TRANSIENT_S = 3600.0
_DAY_S = 86400.0

_log = logging.getLogger(__name__)


def delete_expired(
    ledger: Ledger, settings: Settings, delete: Callable[[str], object], *, clock: Callable[[], float] = time.time
) -> int:
    """Delete what has expired; how many jobs went. One that cannot be deleted keeps no other."""
    now = clock()
    before = now - settings.keep_jobs_days * _DAY_S if settings.keep_jobs_days else 0.0
    expired = ledger.expired(before=before, beyond_bytes=settings.keep_jobs_bytes, transient_before=now - TRANSIENT_S)
    deleted = 0
    for job in expired:
        try:
            delete(job.id)
            deleted += 1
        except (JobError, StorageError) as error:
            _log.warning("an expired job was not deleted: %s", error.text("en"), extra={"job": job.id})
    return deleted
