"""Models: which there are, whether their weights are here, and fetching them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from enlarger.errors import UnknownModelError
from enlarger.jobs import Pulls, PullState
from enlarger.models import Card, Choice
from enlarger.server.problems import problem
from enlarger.server.refusals import NotFoundError
from enlarger.server.threads import in_thread
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.views import model_view, pull_view
from enlarger.server.v1.wire import Models, ModelView
from enlarger.server.waiting import unless_gone

router = APIRouter(prefix="/v1/models", tags=["models"])

Name = Annotated[
    str, Path(max_length=200, description="A model's name, an alias or a MODEL_ name.", examples=["waifu2x-cunet"])
]
_TICK_S = 0.25
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
async def find(service: Serving, language: Language) -> Models:
    """All models, and how fetching them goes."""
    cards = service.jobs.catalog.cards
    return Models(models=await in_thread(lambda: [_view(service, language, card) for card in cards]))


@router.get("/{name}")
async def show(service: Serving, language: Language, name: Name) -> ModelView:
    """One model, by any of its names."""
    return await in_thread(_view, service, language, _found(service, name))


@router.post("/{name}/pull", response_class=Response, responses=_PULL)
async def pull(service: Serving, request: Request, language: Language, name: Name) -> Response:
    """Fetch the weights; the workers see them at their next page. Closing the connection stops it."""
    card = _found(service, name)
    if "text/event-stream" in request.headers.get("accept", ""):
        return StreamingResponse(_told(service, card, language), media_type="text/event-stream")
    await unless_gone(request, partial(_pulled, service, card))
    view = await in_thread(model_view, card, service.jobs.settings)
    return JSONResponse(view.model_dump(mode="json", by_alias=True))


async def _pulled(service: Service, card: Card) -> None:
    async with aclosing(_followed(service.jobs.pulls, card)) as states:
        async for state in states:
            if state.error is not None:
                raise state.error


async def _told(service: Service, card: Card, language: str) -> AsyncIterator[bytes]:
    """Progress while it changes, then the end."""
    async with aclosing(_followed(service.jobs.pulls, card)) as states:
        async for state in states:
            if state.error is not None:
                yield _event("error", problem(state.error, language))
            elif state.has_ended:
                view = await in_thread(model_view, card, service.jobs.settings)
                yield _event("done", view.model_dump(mode="json", by_alias=True))
            else:
                yield _event("progress", {"bytes": state.bytes, "total": state.total})


async def _followed(pulls: Pulls, card: Card) -> AsyncGenerator[PullState, None]:
    """How the pull stands, at once and whenever that has changed, up to its end; it stops when nobody stays for it."""
    holder = object()
    pull = await in_thread(pulls.want, card, [card], holder)
    try:
        shown = None
        while not (state := pull.state).has_ended:
            if state != shown:
                shown = state
                yield state
            await anyio.sleep(_TICK_S)
        yield state
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(pulls.leave, pull, holder)


def _found(service: Service, name: str) -> Card:
    try:
        found = service.jobs.catalog.find(name)
    except UnknownModelError as error:
        raise NotFoundError(error.message, error.remedy) from error
    return found.card if isinstance(found, Choice) else found


def _view(service: Service, language: str, card: Card) -> ModelView:
    pull = service.jobs.pulls.state(card.name)
    return model_view(card, service.jobs.settings, None if pull is None else pull_view(pull, language))


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
