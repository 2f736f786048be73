"""What everybody is told as it changes: jobs, pages that are read, weights on their way, the workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from enlarger.errors import UnknownJobError
from enlarger.models import Catalog
from enlarger.reader import PageChanged, Reader, ReaderEvent
from enlarger.server.live_room import Hearer, LiveRoom, News
from enlarger.server.v1.reader_views import reader_view, upscale_ready
from enlarger.server.v1.views import job_view, pull_view, worker_view

if TYPE_CHECKING:
    from enlarger.jobs import Jobs, PullState

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


def reader_teller(room: LiveRoom, reader: Reader) -> Callable[[ReaderEvent], None]:
    """A listener of the reader's that tells the room."""

    def tell(event: ReaderEvent) -> None:
        if isinstance(event, PageChanged):
            state = event.state
            room.tell(("page", state.book_id, state.page), partial(upscale_ready, state))
        else:
            room.tell(("reader",), partial(_reader_news, reader))

    return tell


def pull_teller(room: LiveRoom) -> Callable[[PullState], None]:
    """A listener of pulls that tells the room."""
    return lambda state: room.tell(("pull", state.model), partial(_pull_news, state))


def workers_news(jobs: Jobs, hearer: Hearer) -> News:
    """The workers as GET /v1/devices shows them, their memory in steps."""
    return {"type": "workers", "workers": [_worker(state, jobs.catalog, hearer.language) for state in jobs.states()]}


def _reader_news(reader: Reader, hearer: Hearer) -> News:
    return {"type": "reader", **reader_view(reader, hearer.language).model_dump(mode="json", by_alias=True)}


def _pull_news(state: PullState, hearer: Hearer) -> News:
    return {"type": "pull", **pull_view(state, hearer.language).model_dump(mode="json", by_alias=True)}


def _worker(state: Any, catalog: Catalog, language: str) -> dict[str, Any]:
    view = worker_view(state, catalog, language=language)
    stepped = view.model_copy(update={"rss_bytes": view.rss_bytes // _RSS_STEP * _RSS_STEP})
    return stepped.model_dump(mode="json", by_alias=True)
