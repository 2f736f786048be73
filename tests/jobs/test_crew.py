"""The crew: real processes with the fake runtime, heard over their pipes, replaced when they die."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest
from fake_workers import PATIENCE_S, Hearing, make_graph, page_file, running, setup, start

from enlarger.jobs import Priority
from enlarger.jobs.crew import Crew, pause_s
from enlarger.jobs.protocol import (
    Cancel,
    Done,
    Drop,
    GaveBack,
    Idle,
    Prepared,
    Ready,
    Start,
    Stop,
    TileDone,
    Unload,
    WorkerDied,
    WorkerLeft,
)
from enlarger.settings import Settings

LARGE = {"width": 200, "height": 200}  # several tiles


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that all tiles but the first wait for."""
    return tmp_path / "gate"


def test_a_page_lies_in_its_place_when_done_is_heard(settings: Settings, graph: Path, tmp_path: Path) -> None:
    page = page_file(tmp_path / "in")
    with running(setup(settings, graph)) as crew:
        (worker,) = crew.workers()
        assert crew.crew.send(worker, start(1, page, tmp_path / "out"))
        (done,) = crew.until_heard(Done)
        assert (tmp_path / "out" / done.result.output).stat().st_size == done.result.bytes
        crew.until(lambda _heard: any(idle.models for idle in crew.said(Idle)))
        (state,) = crew.crew.states()
        assert (state.id, state.state, state.tasks, state.models[0].runtime) == (worker, "idle", (), "fake")
        assert state.rss_bytes > 0
        crew.crew.send(worker, Unload())
        crew.until(lambda _heard: crew.said(Idle)[-1].models == ())


def test_a_reader_overtakes_in_a_process_too(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate))) as crew:
        (worker,) = crew.workers()
        crew.crew.send(worker, start(1, page_file(tmp_path, "a.png", 1, **LARGE), tmp_path))
        crew.until_heard(TileDone)
        crew.crew.send(worker, start(2, page_file(tmp_path, "b.png", 2), tmp_path, Priority.READING))
        crew.until_heard(Prepared, 2)
        assert crew.crew.states()[0].tasks == (1, 2)
        assert crew.crew.states()[0].state == "busy"
        gate.touch()
        assert [done.task for done in crew.until_heard(Done, 2)] == [2, 1]


def test_a_page_is_cancelled_over_the_pipe(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate))) as crew:
        (worker,) = crew.workers()
        for task in (1, 2, 3):
            crew.crew.send(worker, start(task, page_file(tmp_path, f"{task}.png", task, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        crew.until_heard(Prepared, 3)
        crew.crew.send(worker, Drop(2))
        crew.crew.send(worker, Cancel(1))
        crew.until_heard(GaveBack)
        gate.touch()
        crew.until_heard(Done)
        assert crew.said(GaveBack) == [GaveBack(2, "dropped"), GaveBack(1, "cancelled")]
        assert len([told for told in crew.said(TileDone) if told.task == 1]) <= 2


def test_workers_share_the_pages_and_the_cores(settings: Settings, graph: Path, tmp_path: Path) -> None:
    with running(setup(settings, graph), workers=2) as crew:
        for task, worker in enumerate(crew.workers()):
            crew.crew.send(worker, start(task, page_file(tmp_path, f"{task}.png", task), tmp_path / "out"))
        crew.until_heard(Done, 2)
        assert len({worker for worker, message in crew.heard if isinstance(message, Done)}) == 2


# ---- deaths ----


def test_a_killed_worker_is_told_of_and_replaced(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate))) as crew:
        (first,) = crew.workers()
        crew.crew.send(first, start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        crew.crew.kill(first)
        crew.until_heard(WorkerDied)
        assert crew.heard[-1] == (first, WorkerDied(-9, 9))
        assert not crew.crew.send(first, start(2, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(Ready, 2)
        second = crew.workers()[1]
        assert second != first
        gate.touch()
        crew.crew.send(second, start(3, page_file(tmp_path, **LARGE), tmp_path / "out"))
        assert crew.until_heard(Done)[0].task == 3


def test_a_page_that_ends_the_process_leaves_the_others_alone(settings: Settings, graph: Path, tmp_path: Path) -> None:
    with running(setup(settings, graph, dies="at tile"), workers=2) as crew:
        victim, other = crew.workers()
        crew.crew.send(victim, start(1, page_file(tmp_path), tmp_path / "out"))
        assert crew.until_heard(WorkerDied) == [WorkerDied(78)]
        assert other in [state.id for state in crew.crew.states()]


def test_a_worker_that_cannot_start_gets_no_work_and_is_tried_again(
    settings: Settings, graph: Path, tmp_path: Path
) -> None:
    crew = Hearing(Crew(setup(settings, graph, dies="at start")))
    crew.crew.start(1)
    try:
        (state,) = crew.crew.states()
        assert state.state == "starting"
        assert not crew.crew.send(state.id, start(1, page_file(tmp_path), tmp_path))
        crew.until_heard(WorkerDied, 2)
        assert crew.said(Ready) == []
        assert len({worker for worker, _ in crew.heard}) == 2
    finally:
        assert crew.crew.stop(0.0) is not None
    assert crew.crew.states() == []


def test_the_pause_before_a_replacement_grows() -> None:
    assert [pause_s(failures) for failures in range(1, 10)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_worker_that_finished_a_page_is_replaced_at_once(settings: Settings, graph: Path, tmp_path: Path) -> None:
    with running(setup(settings, graph)) as crew:
        for died in range(1, 3):
            worker = crew.workers()[-1]
            crew.crew.send(worker, start(1, page_file(tmp_path), tmp_path / "out"))
            crew.until_heard(Done, died)
            crew.crew.kill(worker)
            crew.until_heard(WorkerDied, died)
            crew.until_heard(Ready, died + 1)
            (member,) = crew.crew._members.values()
            assert member.failures == 1


# ---- joining and leaving ----


def test_a_drained_worker_finishes_what_it_computes_and_is_not_replaced(
    settings: Settings, graph: Path, tmp_path: Path, gate: Path
) -> None:
    with running(setup(settings, graph, gate=str(gate)), workers=2) as crew:
        leaving, staying = crew.workers()
        for task in (1, 2):
            crew.crew.send(leaving, start(task, page_file(tmp_path, f"{task}.png", task, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        crew.crew.remove_worker(leaving)
        assert not crew.crew.send(leaving, start(3, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(GaveBack)
        gate.touch()
        crew.until_heard(WorkerLeft)
        assert [done.task for done in crew.said(Done)] == [1]
        assert crew.said(GaveBack) == [GaveBack(2, "dropped")]
        assert [state.id for state in crew.crew.states()] == [staying]
        added = crew.crew.add_worker()
        crew.until(lambda heard: any(worker == added for worker, _ in heard))
        assert crew.said(WorkerDied) == []


def test_a_worker_can_be_sent_away_in_mid_tile(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate))) as crew:
        (worker,) = crew.workers()
        crew.crew.send(worker, start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        crew.crew.remove_worker(worker, drain=False)
        crew.until_heard(WorkerLeft)
        assert crew.crew.states() == []


def test_stopping_lets_pages_in_hand_finish(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate))) as crew:
        (worker,) = crew.workers()
        (pid,) = [state.pid for state in crew.crew.states()]
        crew.crew.send(worker, start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        threading.Timer(0.2, gate.touch).start()
        heard = crew.crew.stop(PATIENCE_S)
        assert [type(message) for _, message in heard if not isinstance(message, TileDone | Idle)] == [Done, WorkerLeft]
        assert not psutil.pid_exists(pid)


def test_stopping_without_grace_leaves_no_process(settings: Settings, graph: Path, tmp_path: Path, gate: Path) -> None:
    with running(setup(settings, graph, gate=str(gate)), workers=2) as crew:
        pids = [state.pid for state in crew.crew.states()]
        crew.crew.send(crew.workers()[0], start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
        crew.until_heard(TileDone)
        assert [type(message) for _, message in crew.crew.stop(0.0) if not isinstance(message, Idle)] == [
            WorkerLeft
        ] * 2
        assert not any(map(psutil.pid_exists, pids))


def test_a_worker_that_says_stop_to_itself_is_no_death(settings: Settings, graph: Path) -> None:
    """Stop over the pipe, as remove_worker sends it, ends the process with code 0."""
    with running(setup(settings, graph)) as crew:
        crew.crew.send(crew.workers()[0], Stop())
        assert crew.until_heard(WorkerDied) == [WorkerDied(0)]


# ---- waking ----


def test_poll_returns_when_it_is_woken() -> None:
    crew = Crew(setup(Settings(), Path("unused")))
    polled = threading.Thread(target=crew.poll, args=(100 * PATIENCE_S,), daemon=True)
    polled.start()
    crew.wake()
    polled.join(PATIENCE_S)
    assert not polled.is_alive()
    crew.stop(0.0)


def test_waking_more_often_than_anybody_listens_blocks_nobody() -> None:
    crew = Crew(setup(Settings(), Path("unused")))
    for _ in range(100_000):
        crew.wake()
    started = time.monotonic()
    assert crew.poll(10 * PATIENCE_S) == []
    assert time.monotonic() - started < PATIENCE_S
    assert crew.poll(0.0) == []
    crew.stop(0.0)
    crew.wake()  # after the end: nothing


def test_a_start_is_what_the_worker_gets(tmp_path: Path) -> None:
    """What crosses the pipe compares equal on the other side."""
    import pickle

    message = start(1, tmp_path / "a.png", tmp_path / "out", Priority.READING, log={"job": "x"})
    assert isinstance(message, Start)
    assert pickle.loads(pickle.dumps(message)) == message
