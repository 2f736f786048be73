"""One WebSocket for everything live: jobs, pages being read, models being fetched, workers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated, Literal

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from enlarger import __version__
from enlarger.errors import EnlargerError, UnknownJobError
from enlarger.jobs import Event
from enlarger.messages import LANGUAGES
from enlarger.server.live_room import Hearer, text_of
from enlarger.server.outbox import Outbox
from enlarger.server.v1.errors import INVALID
from enlarger.server.v1.reader_wire import Seat
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.views import event_view

router = APIRouter(prefix="/v1", tags=["events"])

GOING_AWAY = 1001
_MOST_CHARS = 4096
_MOST_WATCHED = 32


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Ping(_Message):
    type: Literal["ping"]


class _Watch(_Message):
    type: Literal["watch"]
    job: str = Field(max_length=64, pattern=r"^[0-9A-Za-z-]+$")
    after: int = Field(0, ge=0, le=2**53)


class _Unwatch(_Message):
    type: Literal["unwatch"]
    job: str = Field(max_length=64)


_MESSAGE: TypeAdapter[_Ping | _Watch | _Unwatch] = TypeAdapter(
    Annotated[_Ping | _Watch | _Unwatch, Field(discriminator="type")]
)


@router.websocket("/live")
async def socket(service: Serving, language: Language, websocket: WebSocket, seat: Seat = "") -> None:
    """`hello` at once, then what changes as it changes, one JSON object a message, told apart by `type`.

    `job`, `job-deleted`, `upscale-ready`, `reader`, `pull` and `workers` come by themselves; a job's `event`s and
    `progress` after {"type": "watch", "job": …, "after": …}. `resync`: too much happened for this client, read anew.
    Closed with 4400 after a message that cannot be read, with 1001 when the server ends.
    `?seat=`: who reads; when no socket of it is there for half a minute, it has left its books.
    `?language=` says what a browser cannot: which language it wants, whatever its own headers are.
    """
    asked = websocket.query_params.get("language", "")
    language = asked if asked in LANGUAGES else language
    await websocket.accept()
    hearer = Hearer(language, service.access.is_local(websocket.scope))
    present, place = service.reader.here(seat), service.room.seat(hearer)
    with present, place as (outbox, ends), suppress(WebSocketDisconnect, RuntimeError):
        await websocket.send_text(text_of({"type": "hello", "version": __version__, "language": language}))
        code = await _Client(service, websocket, outbox, language).serve(ends)
        if code is not None:
            await websocket.close(code)


class _Client:
    """One socket: what it sends, and the jobs it watches."""

    def __init__(self, service: Service, websocket: WebSocket, outbox: Outbox, language: str) -> None:
        self._service, self._websocket = service, websocket
        self._outbox, self._language = outbox, language
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def serve(self, ends: asyncio.Event) -> int | None:
        """Until the client, or the server, goes; the code to close with, None: there is nobody any more."""
        listening, sending = asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._send())
        ending = asyncio.ensure_future(ends.wait())
        try:
            await asyncio.wait({listening, sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            return listening.result() if listening.done() else GOING_AWAY
        finally:
            tasks = [listening, sending, ending, *self._watches.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            await self._websocket.send_text(await self._outbox.get())

    async def _listen(self) -> int | None:
        while (received := await self._websocket.receive())["type"] != "websocket.disconnect":
            text = received.get("text") or ""
            try:
                message = _MESSAGE.validate_json(text if len(text) <= _MOST_CHARS else "")
            except ValidationError:
                return INVALID
            match message:
                case _Ping():
                    self._outbox.put("pong", text_of({"type": "pong"}))
                case _Watch():
                    if not self._watch(message):
                        return INVALID
                case _Unwatch():
                    self._unwatch(message.job)
        return None

    def _watch(self, wish: _Watch) -> bool:
        """From then on its events; watched already, it begins anew behind `after`. False: too many are watched."""
        self._unwatch(wish.job)
        if len(self._watches) >= _MOST_WATCHED:
            return False
        self._watches[wish.job] = asyncio.ensure_future(self._follow(wish.job, wish.after))
        return True

    def _unwatch(self, job_id: str) -> None:
        watch = self._watches.pop(job_id, None)
        if watch is not None:
            watch.cancel()

    async def _follow(self, job_id: str, after: int) -> None:
        """Tell of the job until it is deleted. Beyond its end too: it may be retried."""
        try:
            await self._tell_events(job_id, after)
        except UnknownJobError:
            pass
        except EnlargerError:  # the ledger cannot be read: the client asks anew, and is told why
            self._outbox.resync()
            return
        if not self._service.live.is_ending:
            self._outbox.put(("job", job_id), text_of({"type": "job-deleted", "id": job_id}))

    async def _tell_events(self, job_id: str, after: int) -> None:
        """Events whole and in order; of a page's progress the newest."""
        async with aclosing(self._service.live.follow_closely(job_id, after, stays=True)) as items:
            async for item in items:
                if isinstance(item, Event):
                    event = event_view(item, self._language)
                    await self._outbox.put_in_order(text_of({"type": "event", "event": event}))
                else:
                    key = ("progress", job_id, item["position"])
                    self._outbox.put(key, text_of({"type": "progress", "job": job_id, **item}))
