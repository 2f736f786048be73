"""GET /health: what the clients of the manga service and of the photo service look for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from enlarger.jobs import JobState
from enlarger.server.manga.wire import DEFAULT_MODEL, Health, ModelStatus

if TYPE_CHECKING:
    from enlarger.jobs import Jobs


def health(jobs: Jobs) -> Health:
    """The union of both originals' keys; reads the ledger."""
    totals = jobs.totals()
    active = sum(totals.get(state, 0) for state in (JobState.RUNNING, JobState.PACKING))
    return Health(
        active_jobs=active,
        active_tasks=active,
        registered_jobs=sum(totals.values()),
        default_model=DEFAULT_MODEL,
        max_concurrency=jobs.settings.workers,
        storage_root=str(jobs.storage.root),
        timestamp=datetime.now(UTC).isoformat(),
        model_status=_model_status(jobs),
    )


def _model_status(jobs: Jobs) -> ModelStatus:
    workers = jobs.states()
    devices = [model.device for worker in workers for model in worker.models]
    return ModelStatus(
        initialized=bool(workers),
        cuda_available=any("cuda" in device for device in devices),
        device=devices[0] if devices else "cpu",
    )
