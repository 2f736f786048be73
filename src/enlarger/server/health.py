"""/healthz says that the server lives; /readyz that it can work, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from enlarger.errors import EnlargerError
from enlarger.messages import msg
from enlarger.server.access import Access
from enlarger.server.languages import language_of
from enlarger.server.problems import extra_headers
from enlarger.server.refusals import UnavailableError
from enlarger.server.threads import in_thread
from enlarger.storage import require_room, write_atomic

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_WORKING = ("idle", "busy")


def health_routes(jobs: Jobs, access: Access) -> Router:
    """Both paths, for GET and HEAD. Strangers are told codes only: the sentences name folders."""

    async def readyz(request: Request) -> Response:
        reasons = await in_thread(hindrances, jobs)
        if not reasons:
            return JSONResponse({"status": "ready"})
        language = language_of(request.scope)
        known = access.knows(request.scope) if access.token else access.is_local(request.scope)
        told = [{"code": each.code, **({"message": each.text(language)} if known else {})} for each in reasons]
        return JSONResponse({"status": "not ready", "reasons": told}, 503, headers=extra_headers(503))

    return Router([Route("/healthz", _healthz), Route("/readyz", readyz)])


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})  # from the event loop alone: it answers whatever the disk does


def hindrances(jobs: Jobs) -> list[EnlargerError]:
    """Why the server cannot work now; may wait for the disk."""
    found: list[EnlargerError] = []
    try:
        jobs.totals()
        require_room(jobs.storage.root, int(jobs.settings.min_free_bytes))
        write_atomic(jobs.storage.staging / ".ready", b"")
    except EnlargerError as error:
        found.append(error)
    if not any(worker.state in _WORKING for worker in jobs.states()):
        found.append(UnavailableError(msg("No worker is ready."), msg("They take some seconds to start; see the log.")))
    return found
