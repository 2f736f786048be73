"""Weights fetched in the background: begun, cancelled, and told of by the live socket."""

from __future__ import annotations

from fastapi import APIRouter

from enlarger.errors import UnknownModelError
from enlarger.server.refusals import NotFoundError
from enlarger.server.threads import in_thread
from enlarger.server.v1.catalogue_routes import Name
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.views import pull_view
from enlarger.server.v1.wire import PullView

router = APIRouter(prefix="/v1/models/{name}/pulls", tags=["models"])


@router.post("", status_code=202)
async def begin(service: Serving, language: Language, name: Name) -> PullView:
    """Begin to fetch the weights, or join whoever does already; `pull` messages of `/v1/live` tell how it goes."""
    return await in_thread(_begun, service, name, language)


@router.delete("", status_code=204)
async def cancel(service: Serving, name: Name) -> None:
    """Stop fetching them, whoever wants them; nothing where nobody does."""
    await in_thread(_cancelled, service, name)


def _begun(service: Service, name: str, language: str) -> PullView:
    try:
        return pull_view(service.jobs.pulls.start(name), language)
    except UnknownModelError as error:
        raise NotFoundError(error.message, error.remedy) from error


def _cancelled(service: Service, name: str) -> None:
    try:
        service.jobs.pulls.cancel(name)
    except UnknownModelError as error:
        raise NotFoundError(error.message, error.remedy) from error
