"""Locks of jobs: one at a time for each job, and no job waits for another."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_workers import make_graph
from job_making import PATIENCE_S, folder_of, running_room, until

from enlarger.errors import UnknownJobError
from enlarger.jobs import JobState
from enlarger.jobs.job_locks import JobLocks

_GATED = 91


def test_one_at_a_time_for_each_job_and_nothing_is_kept() -> None:
    locks, inside, most = JobLocks(), dict.fromkeys("abc", 0), 0

    def use(job_id: str) -> None:
        nonlocal most
        with locks.held(job_id):
            inside[job_id] += 1
            most = max(most, inside[job_id])
            time.sleep(0.0005)
            inside[job_id] -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(use, "abc" * 40))
    assert (most, len(locks)) == (1, 0)


def test_an_error_lets_go() -> None:
    locks = JobLocks()
    with pytest.raises(KeyError), locks.held("a"):
        raise KeyError
    assert len(locks) == 0
    with locks.held("a"), locks.held("b"):
        assert len(locks) == 2


def test_deleting_a_job_with_many_files_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = make_graph(tmp_path)
    with running_room(graph, tmp_path) as room:
        big = room.submit(folder_of(tmp_path / "big", 40))
        room.finished(big)
        other = room.submit(folder_of(tmp_path / "other", _GATED))
        room.at_gate(other, _GATED)
        deleting, goes_on = threading.Event(), threading.Event()
        discard = type(room.jobs.storage).discard

        def slow(storage: object, job: object) -> None:
            deleting.set()
            goes_on.wait(30.0)
            discard(storage, job)  # type: ignore[arg-type]

        monkeypatch.setattr(type(room.jobs.storage), "discard", slow)
        thread = threading.Thread(target=room.jobs.delete, args=(big,))
        thread.start()
        assert deleting.wait(30.0)
        paused = ThreadPoolExecutor(1).submit(room.jobs.pause, other)
        try:
            assert paused.result(PATIENCE_S).state is JobState.PAUSED
        finally:
            goes_on.set()
            thread.join()
        with pytest.raises(UnknownJobError):
            room.jobs.get(big)
        room.open(_GATED)
        room.jobs.resume(other)
        until(lambda: room.jobs.get(other).state is JobState.DONE)
