"""Everything live for everybody: whoever takes a seat is sent what changes, made ready once for all in a thread."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from enlarger.server.live import LiveHub
from enlarger.server.outbox import Outbox
from enlarger.server.threads import in_thread

NEWS_EVERY_S = 0.05
JOBS_EVERY_S = 0.25
WORKERS_EVERY_S = 1.0

_log = logging.getLogger(__name__)

News: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Hearer:
    """For whom news is told. local: a client on this machine, who may be told where files lie."""

    language: str
    local: bool


@dataclass(frozen=True)
class _Seat:
    hearer: Hearer
    kinds: frozenset[str]


Key: TypeAlias = tuple[Hashable, ...]
"""What news is about, its kind first."""
Teller: TypeAlias = Callable[[Hearer], News | None]
"""News as one hearer is told it, None: not at all. Called in a thread, so it may look things up."""


def text_of(news: News) -> str:
    """As it is sent."""
    return json.dumps(news, ensure_ascii=False, separators=(",", ":"))


RESYNC = text_of({"type": "resync"})


class LiveRoom:
    """One a server. Nothing is looked up while nobody sits here; with the server, everybody is sent home.

    tells_job, tells_workers: what is told of a job (which may be gone) and of the workers.
    """

    def __init__(
        self, live: LiveHub, *, tells_job: Callable[[str, Hearer], News | None], tells_workers: Teller
    ) -> None:
        self._tells_job, self._tells_workers = tells_job, tells_workers
        self._seats: dict[Outbox, _Seat] = {}
        self._news: dict[Key, Teller] = {}
        self._changed: set[str] = set()
        self._woken, self._jobs_woken = asyncio.Event(), asyncio.Event()
        self._pumps: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends: set[asyncio.Event] = set()
        live.join(self)

    @contextmanager
    def seat(self, hearer: Hearer, kinds: Collection[str] = ()) -> Iterator[tuple[Outbox, asyncio.Event]]:
        """A place to hear from: what is to be sent, and what is set when the server ends.

        kinds: news of these only, by the first part of its key; none: all.
        """
        outbox, ends = Outbox(RESYNC), asyncio.Event()
        self._seats[outbox] = _Seat(hearer, frozenset(kinds))
        self._ends.add(ends)
        if not self._pumps:
            self._open()
        try:
            yield outbox, ends
        finally:
            del self._seats[outbox]
            self._ends.discard(ends)
            if not self._seats:
                self._close()

    def tell(self, key: Key, teller: Teller) -> None:
        """News about `key`, from any thread; what was not sent yet about the same is old."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop was closed in this moment
                loop.call_soon_threadsafe(self._note, key, teller)

    def changed(self, job_ids: Collection[str]) -> None:
        """Jobs that something was committed about; in the event loop."""
        if self._seats:
            self._changed.update(job_ids)
            self._jobs_woken.set()

    def end(self) -> None:
        """Send everybody home."""
        for ends in self._ends:
            ends.set()

    def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken, self._jobs_woken = asyncio.Event(), asyncio.Event()
        self._pumps = [asyncio.create_task(pump()) for pump in (self._pump_news, self._pump_jobs, self._pump_workers)]

    def _close(self) -> None:
        self._loop = None
        for pump in self._pumps:
            pump.cancel()
        self._pumps = []
        self._news.clear()
        self._changed.clear()

    def _note(self, key: Key, teller: Teller) -> None:
        self._news[key] = teller
        self._woken.set()

    async def _pump_news(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            news, self._news = self._news, {}
            await self._spread(news.items())
            await asyncio.sleep(NEWS_EVERY_S)

    async def _pump_jobs(self) -> None:
        while True:
            await self._jobs_woken.wait()
            self._jobs_woken.clear()
            changed, self._changed = self._changed, set()
            await self._spread([(("job", job_id), _about(self._tells_job, job_id)) for job_id in sorted(changed)])
            await asyncio.sleep(JOBS_EVERY_S)

    async def _pump_workers(self) -> None:
        last: dict[Hearer, str] = {}

        def unless_same(hearer: Hearer) -> News | None:
            news = self._tells_workers(hearer)
            text = "" if news is None else text_of(news)
            if last.get(hearer) == text:
                return None
            last[hearer] = text
            return news

        while True:
            await self._spread([(("workers",), unless_same)])
            await asyncio.sleep(WORKERS_EVERY_S)

    async def _spread(self, news: Iterable[tuple[Key, Teller]]) -> None:
        hearers = {seat.hearer for seat in self._seats.values()}
        made = await in_thread(_made, list(news), hearers)
        for outbox, seat in self._seats.items():
            for key, text in made.get(seat.hearer, ()):
                if not seat.kinds or key[0] in seat.kinds:
                    outbox.put(key, text)


def _about(tells: Callable[[str, Hearer], News | None], job_id: str) -> Teller:
    return lambda hearer: tells(job_id, hearer)


def _made(news: list[tuple[Key, Teller]], hearers: set[Hearer]) -> dict[Hearer, list[tuple[Key, str]]]:
    """What each kind of hearer is sent."""
    return {hearer: [(key, text) for key, teller in news if (text := _told(teller, hearer))] for hearer in hearers}


def _told(teller: Teller, hearer: Hearer) -> str:
    try:
        news = teller(hearer)
        return "" if news is None else text_of(news)
    except Exception:  # whatever is wrong with one piece of news: the rest goes out
        _log.exception("news could not be told")
        return ""
