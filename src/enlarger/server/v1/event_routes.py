"""A job's events as they happen: numbered, from any number on, by SSE or WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from enlarger.errors import UnknownJobError
from enlarger.jobs import Event
from enlarger.server.live import LiveHub, Tile
from enlarger.server.threads import in_thread
from enlarger.server.v1.job_routes import JobId
from enlarger.server.v1.service import Language, Serving
from enlarger.server.v1.views import event_view
from enlarger.server.waiting import while_connected

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["events"])

HEARTBEAT_S = 15.0
UNKNOWN_JOB = 4404  # as the manga contract closes a WebSocket
_MOST = 2**53
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events. `id` is the event's number; progress within a page has none.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 7\ndata: {"job": "…", "number": 7, "type": "page_done", "done": 3, "total": 200}\n\n',
            }
        },
    },
    204: {"description": "The job has ended, and the client knows all of it: do not connect again."},
}
After = Annotated[int, Query(ge=0, le=_MOST, description="The number of the last event that the client knows.")]


@router.get("/events", response_class=Response, responses=_STREAM)
async def events(
    service: Serving,
    language: Language,
    job_id: JobId,
    after: After = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=_MOST, description="As `after`; browsers send it.")] = None,
) -> Response:
    """The job's events from the beginning, or behind a number; the stream ends with the job."""
    after = after if last_event_id is None else last_event_id
    job = await in_thread(service.jobs.get, job_id)
    if last_event_id is not None and job.state.is_final and after >= job.last_event:
        return Response(status_code=204)
    stream = sse(service.live, job_id, after, language)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.websocket("/events")
async def socket(service: Serving, language: Language, websocket: WebSocket, job_id: JobId, after: After = 0) -> None:
    """The same as one JSON message each; closed with 1000 at the job's end, with 4404 when there is no such job.

    What would be 422 by HTTP is closed with 4400.
    """
    await websocket.accept()
    async with while_connected(websocket.receive):
        with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the client was gone
            await websocket.close(await _tell(websocket, service.live, job_id, after, language))


async def sse(live: LiveHub, job_id: str, after: int, language: str) -> AsyncIterator[bytes]:
    """The stream's bytes; a comment now and then shows that it lives."""
    async with aclosing(live.follow_closely(job_id, after)) as items:
        waiting: asyncio.Future[Event | Tile] | None = None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(items))
                await asyncio.wait({waiting}, timeout=HEARTBEAT_S)
                if not waiting.done():
                    yield b": alive\n\n"
                    continue
                item, waiting = waiting.result(), None
                yield _frame(item, job_id, language)
        except (StopAsyncIteration, UnknownJobError):  # ended, or deleted in this moment
            return
        finally:
            if waiting is not None and not waiting.done():
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting


async def _tell(websocket: WebSocket, live: LiveHub, job_id: str, after: int, language: str) -> int:
    try:
        async with aclosing(live.follow_closely(job_id, after)) as items:
            async for item in items:
                await websocket.send_json(_message(item, job_id, language))
    except UnknownJobError:
        return UNKNOWN_JOB
    return 1000


def _message(item: Event | Tile, job_id: str, language: str) -> dict[str, Any]:
    if isinstance(item, Event):
        return event_view(item, language)
    return {"type": "progress", "job": job_id, "number": None, **item}


def _frame(item: Event | Tile, job_id: str, language: str) -> bytes:
    data = json.dumps(_message(item, job_id, language), ensure_ascii=False)
    number = f"id: {item.number}\n" if isinstance(item, Event) else ""
    return f"{number}data: {data}\n\n".encode()
