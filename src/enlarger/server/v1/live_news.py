"""What everybody is told as it changes: jobs, and the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from enlarger.errors import UnknownJobError
from enlarger.server.live_room import Hearer, News
from enlarger.server.v1.views import job_view, worker_view

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_RSS_STEP = 16 * 1024**2  # memory moves all the time: less than this is no news
_MOST_TRANSIENT = 10_000


class JobNews:
    """Jobs as the list shows them: single pictures, the reader's pages among them, are not in it."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._transient: dict[str, None] = {}

    def tell(self, job_id: str, hearer: Hearer) -> News | None:
        """The job as it stands, or that it is gone; reads the ledger."""
        try:
            job = self._jobs.get(job_id)
        except UnknownJobError:
            return None if job_id in self._transient else {"type": "job-deleted", "id": job_id}
        if job.submission.transient:
            self._remember(job_id)
            return None
        view = job_view(job, self._jobs.storage, hearer.language)
        return {"type": "job", "job": view.model_dump(mode="json", by_alias=True)}

    def _remember(self, job_id: str) -> None:
        while len(self._transient) >= _MOST_TRANSIENT:
            del self._transient[next(iter(self._transient))]
        self._transient[job_id] = None


def workers_news(jobs: Jobs) -> News:
    """The workers as GET /v1/devices shows them, their memory in steps."""
    return {"type": "workers", "workers": [_worker(state) for state in jobs.states()]}


def _worker(state: Any) -> dict[str, Any]:
    view = worker_view(state)
    stepped = view.model_copy(update={"rss_bytes": view.rss_bytes // _RSS_STEP * _RSS_STEP})
    return stepped.model_dump(mode="json", by_alias=True)
