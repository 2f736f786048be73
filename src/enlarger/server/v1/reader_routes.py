"""Reading: where the reader is, what becomes of the pages, and how they are made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from enlarger.reader import Preload, PreloadPage, ReaderStats, Wished, url_of
from enlarger.reader import Request as Wanted
from enlarger.server.live_room import RESYNC, Hearer
from enlarger.server.threads import in_book_thread, in_thread
from enlarger.server.v1.book_routes import BookId, PageIndex
from enlarger.server.v1.event_routes import HEARTBEAT_S
from enlarger.server.v1.reader_views import page_state, page_states, reader_view
from enlarger.server.v1.reader_wire import (
    LookupQuery,
    LookupView,
    Named,
    PageRequest,
    PageStates,
    PageStateView,
    PositionRequest,
    PreloadRequest,
    ReaderChanges,
    ReaderView,
    Removed,
    Seat,
)
from enlarger.server.v1.service import Language, Service, Serving

router = APIRouter(prefix="/v1/reader", tags=["reader"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events of the type `upscale-ready`; `resync`: too much happened, read anew.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'event: upscale-ready\ndata: {"type": "upscale-ready", "pageIndex": 12, '
                '"status": "completed", "url": "/v1/renders/9f86…"}\n\n',
            }
        },
    }
}


@router.get("")
async def show(service: Serving, language: Language) -> ReaderView:
    """The reader's settings, the open books, and a hint when this machine cannot keep up."""
    return await in_thread(reader_view, service.reader, language)


@router.patch("")
async def change(service: Serving, language: Language, body: ReaderChanges) -> ReaderView:
    """Other settings, kept on the disk. `enabled` false stops all work, and originals are shown."""

    def changed() -> ReaderView:
        service.reader.set(**body.model_dump(by_alias=True, exclude_unset=True))
        return reader_view(service.reader, language)

    return await in_thread(changed)


# ---- books ----


@router.post("/books/{book_id}/open")
async def open_book(service: Serving, language: Language, book_id: BookId, seat: Seat = "") -> PageStates:
    """Open a book; what is known of its pages. It is open until everybody who opened it has left."""
    return await in_book_thread(lambda: page_states(service.reader.open(book_id, seat), language))


@router.get("/books/{book_id}")
async def states(service: Serving, language: Language, book_id: BookId) -> PageStates:
    """Every page of an open book that was ever wanted, in reading order; none of a book that is not open."""
    return await in_thread(lambda: page_states(service.reader.states(book_id), language))


@router.delete("/books/{book_id}", status_code=204)
async def leave(service: Serving, book_id: BookId, seat: Seat = "") -> None:
    """Leave the book: what is done for it, and nobody else wants, stops within a tile."""
    await in_thread(service.reader.close, book_id, seat)


@router.put("/books/{book_id}/position")
async def turn(
    service: Serving, language: Language, book_id: BookId, body: PositionRequest, seat: Seat = ""
) -> PageStates:
    """The reader is here. The pages that are wanted now, the most urgent first: what is shown, then what is ahead.

    Several readers of one book have a place each: what any of them sees comes first.
    """
    run = in_thread if await in_thread(service.reader.sits, book_id, seat) else in_book_thread
    return await run(lambda: page_states(service.reader.turn(book_id, body.page, body.also, seat), language))


@router.delete("/books/{book_id}/pages", status_code=204)
async def cancel_book(service: Serving, book_id: BookId) -> None:
    """Nothing more is done for the book, until a page of it is wanted again; it stays open."""
    await in_thread(service.reader.cancel_book, book_id)


@router.delete("/books/{book_id}/pages/{index}", status_code=204)
async def cancel_page(service: Serving, book_id: BookId, index: PageIndex) -> None:
    """Nothing more is done for the page."""
    await in_thread(service.reader.cancel_page, book_id, index)


# ---- as earlier readers ask ----


@router.post("/requests")
async def request(service: Serving, language: Language, body: PageRequest, seat: Seat = "") -> PageStateView:
    """One page, named by paths; how it goes on is told by events."""
    wanted = Wanted(
        book_path=body.book_path,
        page_index=body.page_index,
        image_path=body.image_path,
        image_hash=body.image_hash,
        priority=body.priority,
        wished=_wished(body),
        seat=seat,
    )
    return await in_book_thread(lambda: page_state(service.reader.request(wanted), language))


@router.post("/preloads")
async def preload(service: Serving, language: Language, body: PreloadRequest, seat: Seat = "") -> PageStates:
    """Pages around the one that is read, to be ready before they are turned to."""
    pages = [PreloadPage(each.page_index, each.image_path, each.hash) for each in body.image_infos]
    wanted = Preload(body.book_path, body.center_index, pages, _wished(body), seat)
    return await in_book_thread(lambda: page_states(service.reader.preload(wanted), language))


@router.get("/lookup")
async def lookup(service: Serving, language: Language, asked: Annotated[LookupQuery, Query()]) -> LookupView:
    """Whether the page is ready in the cache. Nothing is made, queued or cancelled by asking."""
    wanted = Wanted(asked.book_path, asked.page_index, asked.image_path, wished=_wished(asked))
    found = await in_book_thread(service.reader.lookup, wanted)
    reason = None if found.reason is None else found.reason.text(language)
    return LookupView(cached=bool(found.key), url=url_of(found.key), reason=reason)


@router.delete("/requests", status_code=204)
async def clear(service: Serving) -> None:
    """Empty the queue: nothing more is done for any page, until it is wanted again."""
    await in_thread(service.reader.clear)


# ---- results ----


@router.get("/stats")
async def stats(service: Serving) -> ReaderStats:
    """What reading did so far."""
    return await in_thread(service.reader.stats)


@router.delete("/results")
async def clear_results(service: Serving) -> Removed:
    """Drop finished pages; each is made again when it is wanted again."""
    return Removed(removed=await in_thread(service.reader.clear_results))


@router.get("/events", response_class=Response, responses=_STREAM)
async def events(service: Serving, language: Language, request: Request, seat: Seat = "") -> Response:
    """Each change of a page, for clients without a WebSocket; from now on, until the server ends.

    `seat`: whoever is gone for half a minute after this ended has left its books.
    """
    hearer = Hearer(language, service.access.is_local(request.scope))
    return StreamingResponse(
        _sse(service, hearer, seat), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _sse(service: Service, hearer: Hearer, seat: str) -> AsyncIterator[bytes]:
    with service.reader.here(seat), service.room.seat(hearer, kinds=("page",)) as (outbox, ends):
        ending = asyncio.ensure_future(ends.wait())
        waiting: asyncio.Future[str] | None = None
        try:
            yield b": here\n\n"  # so that a client knows that nothing is missed from now on
            while not ending.done():
                waiting = waiting or asyncio.ensure_future(outbox.get())
                both: set[asyncio.Future[Any]] = {waiting, ending}
                await asyncio.wait(both, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    text, waiting = waiting.result(), None
                    name = "resync" if text == RESYNC else "upscale-ready"
                    yield f"event: {name}\ndata: {text}\n\n".encode()
                elif not ending.done():
                    yield b": alive\n\n"
        finally:
            ending.cancel()
            if waiting is not None:
                waiting.cancel()


def _wished(body: Named) -> Wished:
    return Wished(
        model=body.model_name or None,
        scale=body.scale,
        tile_size=body.tile_size,
        tile_enabled=body.tile_enabled,
        noise=body.noise_level,
    )
