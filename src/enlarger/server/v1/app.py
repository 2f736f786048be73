"""The API as an application of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response

from enlarger import __version__
from enlarger.reader import Reader, Shelf
from enlarger.server.access import Access
from enlarger.server.form_sink import UploadLimits
from enlarger.server.live import LiveHub
from enlarger.server.live_room import LiveRoom
from enlarger.server.renders import RenderFiles
from enlarger.server.schemas import give_schema
from enlarger.server.threads import in_thread
from enlarger.server.v1 import (
    book_routes,
    catalogue_routes,
    device_routes,
    event_routes,
    job_routes,
    live_routes,
    machine_routes,
    page_routes,
    pull_routes,
    reader_routes,
    render_routes,
    rule_routes,
    session_routes,
    shelf_routes,
    upscale_routes,
)
from enlarger.server.v1.errors import add_problems
from enlarger.server.v1.live_news import JobNews, pull_teller, reader_teller, workers_news
from enlarger.server.v1.openapi import finish_schema
from enlarger.server.v1.service import Service

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_ROUTES = (
    upscale_routes,
    job_routes,
    page_routes,
    event_routes,
    live_routes,
    shelf_routes,
    book_routes,
    reader_routes,
    render_routes,
    rule_routes,
    catalogue_routes,
    pull_routes,
    device_routes,
    machine_routes,
    session_routes,
)
_DESCRIPTION = """\
Enlarge pictures and volumes. 放大单张图片和整卷漫画。

Errors are problems (RFC 9457) with a `code` and a `remedy`, in English or Chinese by Accept-Language.
Names are camelCase, times Unix seconds, digests SHA-256 in hex.
"""


class _Api(FastAPI):
    """FastAPI, with its schema finished, and made off the event loop: it takes more than a second."""

    def openapi(self) -> dict[str, Any]:
        return finish_schema(self)

    async def give_schema(self, request: Request) -> Response:
        """GET /openapi.json."""
        return await give_schema(request, await in_thread(self.openapi))


def build(jobs: Jobs, live: LiveHub, access: Access, shelf: Shelf, reader: Reader, **service: Any) -> FastAPI:
    """The application over `jobs`; its paths begin with /v1. `service`: other parts of Service."""
    app = _Api(
        title="Enlarger",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    limits = service.pop("limits", None) or UploadLimits.of(jobs.settings)
    tells_workers = partial(workers_news, jobs)
    room = LiveRoom(live, tells_job=JobNews(jobs).tell, tells_workers=tells_workers)
    reader.subscribe(reader_teller(room, reader))
    jobs.pulls.subscribe(pull_teller(room))
    app.state.service = Service(jobs, live, access, limits, shelf, reader, room, **service)
    app.state.renders = RenderFiles(reader.render)
    app.add_route("/openapi.json", app.give_schema, include_in_schema=False)
    for module in _ROUTES:
        app.include_router(module.router)
    add_problems(app)
    return app
