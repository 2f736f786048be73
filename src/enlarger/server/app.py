"""The one ASGI application: facades of their own by prefix, behind one door, over the same jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount

from enlarger.server.facades import Facades
from enlarger.server.live import LiveHub
from enlarger.server.threads import in_thread
from enlarger.settings import Settings

if TYPE_CHECKING:
    from enlarger.jobs import Jobs


def create_app(settings: Settings | None = None, jobs: Jobs | None = None) -> Starlette:
    """The server; the jobs are started and stopped with its lifespan. Raises StorageError, LedgerError."""
    from enlarger.jobs import Jobs

    settings = settings or Settings()
    jobs = jobs or Jobs(settings)
    live = LiveHub(jobs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await in_thread(jobs.start)
        live.start()
        try:
            yield
        finally:
            live.stop()
            await in_thread(jobs.stop)

    return Starlette(routes=[Mount("", app=Facades(jobs, live))], lifespan=lifespan)
