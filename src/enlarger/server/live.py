"""What happens to jobs, brought from the jobs' threads to the event loop: coalesced, in order, nothing left out."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Protocol

from enlarger.errors import UnknownJobError
from enlarger.jobs import Event, Job, JobState
from enlarger.server.threads import in_thread

BATCH = 500
_RECHECK_S = 30.0  # deleting a job writes no event: whoever still watches it finds out by looking

Tile = Mapping[str, Any]  # {"page", "position", "share"}: not stored, only the newest of a page is told
Listener = Callable[[str, Tile | None], None]


class EventSource(Protocol):
    """What of Jobs is needed here."""

    def subscribe(self, listener: Listener) -> Callable[[], None]: ...
    def events(self, job_id: str, after: int = 0, limit: int = BATCH) -> list[Event]: ...
    def get(self, job_id: str) -> Job: ...


class Feed(Protocol):
    """Who wants to hear of every job, in the event loop."""

    def changed(self, job_ids: Collection[str]) -> None:
        """Something was committed about each; it may be gone."""

    def end(self) -> None:
        """The server stops."""


class Watch:
    """One watcher of one job: woken after commits and, if it wants them, tiles."""

    def __init__(self, *, tiles: bool) -> None:
        self._wants_tiles = tiles
        self._woken = asyncio.Event()
        self._committed = False
        self._tiles: dict[int, Tile] = {}

    def wake(self, *, committed: bool, tiles: Mapping[int, Tile]) -> None:
        """Something was committed, or tiles are finished."""
        self._committed |= committed
        if self._wants_tiles:
            self._tiles.update(tiles)
        if self._committed or self._tiles:
            self._woken.set()

    async def wait(self) -> tuple[bool, list[Tile]]:
        """(whether anything may have been committed, tiles) since the last time; looks up now and then by itself."""
        try:
            async with asyncio.timeout(_RECHECK_S):  # wait_for of Python 3.11 forgets a cancelling beside a wake
                await self._woken.wait()
        except TimeoutError:
            return True, []
        self._woken.clear()
        committed, self._committed = self._committed, False
        tiles, self._tiles = self._tiles, {}
        return committed, list(tiles.values())


class LiveHub:
    """Wakes whoever watches a job. One a server: `start` in the event loop, `stop` before the jobs stop.

    Any number of commits between two turns of the loop wake a watcher once, and watchers that are equally far
    share one read of the ledger.
    """

    def __init__(self, jobs: EventSource) -> None:
        self._jobs = jobs
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._feeds: list[Feed] = []
        self._version = 0
        self._reads: dict[tuple[str, int, int], asyncio.Task[list[Event]]] = {}
        self._lock = threading.Lock()
        self._told: dict[str, dict[int, Tile]] = {}
        self._committed: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._closing = False

    def start(self) -> None:
        """Listen to the jobs from now on."""
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._jobs.subscribe(self._tell)

    def stop(self) -> None:
        """Stop listening, and end every watch."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self.end_watches()
        self._loop = None

    def end_watches(self) -> None:
        """Let the watchers go home: a server waits for its open connections before it stops."""
        self._closing = True
        for watch in [watch for watches in self._watches.values() for watch in watches]:
            watch.wake(committed=True, tiles={})
        for feed in self._feeds:
            feed.end()

    @property
    def is_ending(self) -> bool:
        """Whether watches end because the server does."""
        return self._closing

    def join(self, feed: Feed) -> None:
        """Tell `feed` of every job from now on."""
        self._feeds.append(feed)

    async def changes(self, job_id: str) -> AsyncGenerator[None]:
        """Yields at once, then after commits on the job, the last one always; ends with the server."""
        with self._watch(job_id, tiles=False) as watch:
            while not self._closing:
                yield
                await watch.wait()

    async def follow(self, job_id: str, after: int = 0) -> AsyncGenerator[Event]:
        """The job's events from number `after` + 1 on, each once and in order, up to the one that ends the job.

        Raises UnknownJobError. Ends too when the job is deleted meanwhile, and with the server.
        """
        async with aclosing(self._follow(job_id, after)) as items:
            async for item in items:
                assert isinstance(item, Event)
                yield item

    def follow_closely(self, job_id: str, after: int = 0, *, stays: bool = False) -> AsyncGenerator[Event | Tile]:
        """As `follow`, with the tiles of pages being computed in between.

        stays: the job's end is not the last of it, it may be tried again; ends when the job is deleted.
        """
        return self._follow(job_id, after, tiles=True, stays=stays)

    async def _follow(
        self, job_id: str, after: int, *, tiles: bool = False, stays: bool = False
    ) -> AsyncGenerator[Event | Tile]:
        with self._watch(job_id, tiles=tiles) as watch:
            job = await in_thread(self._jobs.get, job_id)
            ended, last = job.state.is_final, job.last_event
            committed, shares = True, list[Tile]()
            while not self._closing:
                for share in shares:
                    yield share
                events = await self._read(job_id, after) if committed else []
                for event in events:
                    yield event
                    after = last = event.number
                    ended = JobState(event.data["state"]).is_final
                if len(events) == BATCH:
                    committed, shares = True, []
                    continue
                if (ended and after >= last and not stays) or await self._is_gone(job_id, committed, events):
                    return
                committed, shares = await watch.wait()

    @contextmanager
    def _watch(self, job_id: str, *, tiles: bool) -> Iterator[Watch]:
        watch = Watch(tiles=tiles)
        self._watches[job_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[job_id].discard(watch)
            if not self._watches[job_id]:
                del self._watches[job_id]

    async def _read(self, job_id: str, after: int) -> list[Event]:
        # by version: nobody may join a read that began before the commit he was woken for
        key = (job_id, after, self._version)
        if key not in self._reads:
            self._reads[key] = asyncio.ensure_future(in_thread(self._jobs.events, job_id, after, BATCH))
            self._reads[key].add_done_callback(lambda _: self._reads.pop(key, None))
        with suppress(UnknownJobError):
            return await asyncio.shield(self._reads[key])
        return []

    async def _is_gone(self, job_id: str, looked: bool, events: list[Event]) -> bool:
        if events or not looked:
            return False
        try:
            await in_thread(self._jobs.get, job_id)
        except UnknownJobError:
            return True
        return False

    def _tell(self, job_id: str, tile: Tile | None) -> None:
        """Called from the jobs' threads, after a commit (None) or a tile."""
        with self._lock:
            first = not self._told
            tiles = self._told.setdefault(job_id, {})
            if tile is None:
                self._committed.add(job_id)
            else:
                tiles[tile["position"]] = tile
            if first and self._loop is not None:
                with suppress(RuntimeError):  # the loop was closed before the jobs stopped
                    self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            told, self._told = self._told, {}
            committed, self._committed = self._committed, set()
        self._version += 1
        for job_id, tiles in told.items():
            for watch in self._watches.get(job_id, ()):
                watch.wake(committed=job_id in committed, tiles=tiles)
        if committed:
            for feed in self._feeds:
                feed.changed(committed)
