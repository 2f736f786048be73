"""The one ASGI application: facades of their own by prefix, behind one door, over the same jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from enlarger.messages import LANGUAGES, translate
from enlarger.reader import Reader, ReaderStore, Shelf
from enlarger.server.access import Access
from enlarger.server.bodies import SmallBodies
from enlarger.server.collecting import set_aside_what_stays
from enlarger.server.facades import Facades
from enlarger.server.live import LiveHub
from enlarger.server.logging_setup import set_up_logging
from enlarger.server.prefix import AnyPrefix
from enlarger.server.request_log import RequestLog
from enlarger.server.security import Security
from enlarger.server.stopping import told_of_signals
from enlarger.server.taking_turns import give_way_often
from enlarger.server.threads import in_thread
from enlarger.settings import Settings

if TYPE_CHECKING:
    from enlarger.jobs import Jobs


def create_app(settings: Settings | None = None, jobs: Jobs | None = None) -> Starlette:
    """The server; the jobs are started and stopped with its lifespan.

    Without settings they come from the environment, the process is taken as the server's own, and its log set up.
    Raises StorageError when the storage root is in use or unusable, InputError when the token cannot be read.
    """
    from enlarger.jobs import Jobs

    owns_process = settings is None
    worker_log = ""
    if settings is None:
        settings = Settings()
        set_up_logging(settings)
        worker_log = f"{set_up_logging.__module__}:{set_up_logging.__name__}"
    for language in LANGUAGES:
        translate("", language)  # its catalogue is read now, not in the event loop
    access = Access.of(settings)
    working = jobs or Jobs(settings, prepare_worker=worker_log)
    live = LiveHub(working)
    store = ReaderStore.of(settings)
    shelf = Shelf(settings, store)
    reader = Reader(working, shelf, store, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await in_thread(working.start)
        await in_thread(reader.start)
        live.start()
        if owns_process:
            set_aside_what_stays()
            give_way_often()
        loop = asyncio.get_running_loop()
        try:
            with told_of_signals(lambda: loop.call_soon_threadsafe(live.end_watches)):
                yield
        finally:
            live.stop()
            await in_thread(reader.stop)
            await in_thread(working.stop)
            await in_thread(shelf.close)
            await in_thread(store.close)

    app = Starlette(
        middleware=[
            Middleware(AnyPrefix),
            Middleware(RequestLog),
            Middleware(Security, access=access),
            Middleware(SmallBodies),
        ],
        lifespan=lifespan,
    )
    app.router.default = Facades(
        working, live, access, shelf, reader
    )  # not a Mount: its pattern knows no line break in a path
    app.state.end_watches = live.end_watches  # whoever stops the server sends those home who only listen
    return app
