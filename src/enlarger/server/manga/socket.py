"""WS /ws/jobs/{id}: the whole JobState at once, then one after every change, in order, none left out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from fastapi import WebSocket, WebSocketDisconnect

from enlarger.errors import UnknownJobError
from enlarger.jobs import Event, Job
from enlarger.server.languages import language_of
from enlarger.server.live import LiveHub
from enlarger.server.manga.states import at_event, job_state
from enlarger.server.threads import in_thread
from enlarger.server.waiting import while_connected

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

UNKNOWN_JOB = 4404
GOING_AWAY = 1001


class JobSocket:
    """The endpoint. It stays open after the job's end: a resumed job goes on telling; the client closes."""

    def __init__(self, jobs: Jobs, live: LiveHub) -> None:
        self._jobs = jobs
        self._live = live

    async def __call__(self, websocket: WebSocket, job_id: str) -> None:
        """Serve one client until it, the job or the server goes."""
        await websocket.accept()
        async with while_connected(websocket.receive):
            with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the client was gone
                await websocket.close(await self._tell(websocket, job_id))

    async def _tell(self, websocket: WebSocket, job_id: str) -> int:
        """Send states; the code to close with once there are no more."""
        language, last = language_of(websocket.scope), None
        try:
            async with aclosing(self._states(job_id)) as states:
                async for job in states:
                    state = job_state(job, language).model_dump(mode="json")
                    if state != last:
                        await websocket.send_json(last := state)
        except UnknownJobError:
            return UNKNOWN_JOB
        return GOING_AWAY

    async def _states(self, job_id: str) -> AsyncGenerator[Job]:
        """The job now, then as it was after each event. Raises UnknownJobError, also when it is deleted meanwhile."""
        job = await in_thread(self._jobs.get, job_id)
        yield job
        while await self._goes_on(job):
            async with aclosing(self._live.follow(job_id, job.last_event)) as events:
                async for event in events:
                    job = await self._after(job, event)
                    yield job

    async def _after(self, job: Job, event: Event) -> Job:
        """Pages change only counts; for all else the job is read anew."""
        if not event.type.startswith("page_"):
            job = await in_thread(self._jobs.get, job.id)
        return at_event(job, event)

    async def _goes_on(self, job: Job) -> bool:
        """Wait for an event after the last one told; False when the server stops."""
        async with aclosing(self._live.changes(job.id)) as changes:
            async for _ in changes:
                if (await in_thread(self._jobs.get, job.id)).last_event > job.last_event:
                    return True
        return False
