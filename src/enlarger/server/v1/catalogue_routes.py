"""Models: which there are, whether their weights are here, and fetching them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from enlarger.errors import EnlargerError, UnknownModelError
from enlarger.models import Card, Choice, Variant
from enlarger.server.problems import problem
from enlarger.server.refusals import NotFoundError
from enlarger.server.threads import in_thread
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.views import model_view
from enlarger.server.v1.wire import Models, ModelView
from enlarger.server.waiting import unless_gone

router = APIRouter(prefix="/v1/models", tags=["models"])

Name = Annotated[
    str, Path(max_length=200, description="A model's name, an alias or a MODEL_ name.", examples=["waifu2x-cunet"])
]
_MOST_PULLS = 2
_TICK_S = 0.5
_PULL: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The model, its weights here now; as server-sent events if Accept asks for them: `progress`, "
        "then `done` with the model, or `error` with a problem.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ModelView"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}


@router.get("")
async def find(service: Serving) -> Models:
    """All models."""
    return Models(models=await in_thread(_views, service))


@router.get("/{name}")
async def show(service: Serving, name: Name) -> ModelView:
    """One model, by any of its names."""
    card, _ = _found(service, name)
    return await in_thread(model_view, card, service.jobs.settings)


@router.post("/{name}/pull", response_class=Response, responses=_PULL)
async def pull(service: Serving, request: Request, language: Language, name: Name) -> Response:
    """Fetch the weights; the workers see them at their next page. Closing the connection stops it."""
    card, target = _found(service, name)
    fetching = Pull(service, card, target)
    if "text/event-stream" in request.headers.get("accept", ""):
        return StreamingResponse(fetching.told(language), media_type="text/event-stream")
    await unless_gone(request, fetching.run)
    view = await in_thread(model_view, card, service.jobs.settings)
    return JSONResponse(view.model_dump(mode="json", by_alias=True))


class Pull:
    """One model's weights being fetched, in a thread of its own that is told when nobody waits any more."""

    def __init__(self, service: Service, card: Card, target: Card | Variant) -> None:
        self._service, self._card, self._target = service, card, target
        self._cancel = threading.Event()
        self._progress = (0, 0)

    async def run(self) -> None:
        """Fetch; raises FetchError, StorageError. Cancelled, it stops at the next piece."""
        work = partial(
            self._service.fetch,
            self._target,
            self._service.jobs.settings,
            progress=self._note,
            cancel=self._cancel,
        )
        try:
            await to_thread.run_sync(work, abandon_on_cancel=True, limiter=_pulls())
        finally:
            self._cancel.set()
        await in_thread(self._service.jobs.refresh_models)

    async def told(self, language: str) -> AsyncIterator[bytes]:
        """Progress twice a second while it changes, then the end."""
        running, shown = asyncio.ensure_future(self.run()), (-1, -1)
        try:
            while not running.done():
                if shown != self._progress:
                    shown = self._progress
                    yield _event("progress", {"bytes": shown[0], "total": shown[1]})
                await asyncio.wait({running}, timeout=_TICK_S)
            running.result()
            view = await in_thread(model_view, self._card, self._service.jobs.settings)
            yield _event("done", view.model_dump(mode="json", by_alias=True))
        except EnlargerError as error:
            yield _event("error", problem(error, language))
        finally:
            running.cancel()

    def _note(self, done_bytes: int, total_bytes: int) -> None:
        self._progress = (done_bytes, total_bytes)


def _found(service: Service, name: str) -> tuple[Card, Card | Variant]:
    """The card, and what of it was named."""
    try:
        found = service.jobs.catalog.find(name)
    except UnknownModelError as error:
        raise NotFoundError(error.message, error.remedy) from error
    return (found.card, found.variant) if isinstance(found, Choice) else (found, found)


def _views(service: Service) -> list[ModelView]:
    return [model_view(card, service.jobs.settings) for card in service.jobs.catalog.cards]


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


_pulls_limiter: anyio.lowlevel.RunVar[CapacityLimiter] = anyio.lowlevel.RunVar("enlarger_pulls")


def _pulls() -> CapacityLimiter:
    """Downloads last long: they have threads of their own."""
    try:
        return _pulls_limiter.get()
    except LookupError:
        _pulls_limiter.set(CapacityLimiter(_MOST_PULLS))
        return _pulls_limiter.get()
