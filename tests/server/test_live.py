"""News of jobs: every event once and in order, wherever one begins, however many listen and however fast it comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing

import pytest
from anyio import run
from memory_jobs import MemoryJobs

from enlarger.enhance import make_recipe
from enlarger.errors import UnknownJobError
from enlarger.jobs import Job, JobSource, JobState, Submission
from enlarger.server.live import LiveHub, Watch

PATIENCE_S = 60.0
Making = Callable[..., MemoryJobs]


def job_in(jobs: MemoryJobs) -> Job:
    source = JobSource("folder", jobs.storage.incoming)
    return jobs.submit(Submission(source=source, recipe=make_recipe(jobs.catalog)))[0]


async def numbers(live: LiveHub, job_id: str, after: int = 0, heard: list[int] | None = None) -> list[int]:
    """Of the events up to the end; `heard` has them as they come."""
    heard = [] if heard is None else heard
    async with aclosing(live.follow(job_id, after)) as events:
        async for event in events:
            heard.append(event.number)
    return heard


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


def test_many_followers_hear_everything_in_order(memory: Making) -> None:
    jobs = memory()
    job, reads = job_in(jobs), []
    jobs.events = lambda *args, read=jobs.events: reads.append(args) or read(*args)  # type: ignore[method-assign,func-returns-value]

    def work() -> None:
        for done in range(1500):
            jobs.count(job.id, done, 1500)
        jobs.move(job.id, JobState.DONE, "done")

    async def listen() -> None:
        live = LiveHub(jobs)
        live.start()
        thread = threading.Thread(target=work)
        thread.start()
        heard = await asyncio.gather(*(numbers(live, job.id, after) for after in [0] * 32 + [700] * 32))
        await asyncio.to_thread(thread.join)
        live.stop()
        assert heard == [list(range(1, 1503))] * 32 + [list(range(701, 1503))] * 32

    run(listen)
    assert len(reads) < 1502 * 8  # 64 followers share their reads


def test_a_job_that_ended_is_told_at_once(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)
    jobs.move(job.id, JobState.FAILED, "failed")

    async def listen() -> None:
        live = LiveHub(jobs)
        live.start()
        assert [await numbers(live, job.id, after) for after in (0, 1, 2, 99)] == [[1, 2], [2], [], []]
        with pytest.raises(UnknownJobError):
            await numbers(live, "none")
        live.stop()

    run(listen)


def test_the_end_of_a_first_life_is_no_end_when_it_was_retried(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)
    jobs.move(job.id, JobState.FAILED, "failed")
    jobs.retry(job.id)

    async def listen() -> list[int]:
        live = LiveHub(jobs)
        live.start()
        heard: list[int] = []
        hearing = asyncio.ensure_future(numbers(live, job.id, heard=heard))
        await until(lambda: heard == [1, 2, 3])
        await asyncio.sleep(0.05)
        assert not hearing.done()
        await asyncio.to_thread(jobs.move, job.id, JobState.DONE, "done")
        return await hearing

    assert run(listen) == [1, 2, 3, 4]


def test_changes_never_miss_the_last_one(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)

    async def listen() -> list[int]:
        live = LiveHub(jobs)
        live.start()
        seen = []
        async with aclosing(live.changes(job.id)) as changes:
            async for _ in changes:
                seen.append(jobs.get(job.id).last_event)
                if seen[-1] == 201:
                    return seen
                if len(seen) == 1:
                    threading.Thread(target=lambda: [jobs.count(job.id, n, 200) for n in range(200)]).start()
        return seen

    seen = run(listen)
    assert seen == sorted(seen)


def test_tiles_are_told_newest_first_come_and_never_kept(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)

    def tile(share: float) -> None:
        for listener in list(jobs._listeners):
            listener(job.id, {"page": "a.png", "position": 0, "share": share})

    async def listen() -> list[object]:
        live = LiveHub(jobs)
        live.start()
        heard: list[object] = []
        async with aclosing(live.follow_closely(job.id, 1)) as items:
            hearing = asyncio.ensure_future(anext(items))
            await until(lambda: live._watches.get(job.id))
            for share in (0.1, 0.2, 0.3):
                tile(share)
            heard.append((await hearing)["share"])  # type: ignore[index]
        return heard

    assert run(listen) == [0.3]


def test_a_watch_that_is_given_up_in_the_moment_it_is_woken_ends() -> None:
    async def given_up() -> None:
        watch = Watch(tiles=False)
        waiting = asyncio.ensure_future(watch.wait())
        await asyncio.sleep(0)
        watch.wake(committed=True, tiles={})
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(given_up)


def test_those_who_listen_go_home_with_the_server(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)

    async def listen() -> list[object]:
        live = LiveHub(jobs)
        live.start()

        heard: list[int] = []
        seen = 0

        async def count() -> int:
            nonlocal seen
            async with aclosing(live.changes(job.id)) as changes:
                async for _ in changes:
                    seen += 1
            return seen

        both = asyncio.gather(numbers(live, job.id, heard=heard), count())
        await until(lambda: heard and seen)
        live.end_watches()
        told = await both
        live.stop()
        assert jobs._listeners == []
        return told

    assert run(listen) == [[1], 1]


def test_a_deleted_job_is_noticed(memory: Making) -> None:
    jobs = memory()
    job = job_in(jobs)

    async def listen() -> list[int]:
        live = LiveHub(jobs)
        live.start()
        heard: list[int] = []
        hearing = asyncio.ensure_future(numbers(live, job.id, heard=heard))
        await until(lambda: heard)
        await asyncio.to_thread(jobs.forget, job.id)
        return await hearing

    jobs.forget = lambda job_id: (jobs._jobs.pop(job_id), jobs._events.pop(job_id), jobs._tell(job_id))  # type: ignore[attr-defined]
    assert run(listen) == [1]
