"""The dispatcher with real workers and a real ledger: whose turn it is, what is given back, what is computed once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from fake_workers import make_graph
from job_making import Room, event_types, folder_of, running_room, until
from special_pages import DEADLY_PX, NO_WEIGHTS_PX, UNFORESEEN_PX

from enlarger.jobs import JobState, Priority

_widths = count(91)  # a gate of its own for each test


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def room(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture(scope="module")
def pair(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Two workers."""
    with running_room(graph, tmp_path_factory.mktemp("pair"), workers=2) as room:
        yield room


@pytest.fixture
def gated(request: pytest.FixtureRequest) -> Iterator[int]:
    """A width whose gate is open at the latest when the test has ended."""
    width = next(_widths)
    yield width
    for name in {"room", "pair"} & set(request.fixturenames):
        request.getfixturevalue(name).open(width)


# ---- turns ----


def test_an_urgent_page_overtakes_the_one_being_computed(room: Room, tmp_path: Path, gated: int) -> None:
    slow = room.submit(folder_of(tmp_path / "slow", gated, 51, 52))
    room.at_gate(slow, gated)
    urgent = room.submit(folder_of(tmp_path / "urgent", 53), priority=Priority.READING)
    assert room.finished(urgent).state is JobState.DONE
    until(lambda: room.page_states(slow) == ["running", "running", "queued"])  # two in hand, no more
    room.open(gated)
    assert room.finished(slow).state is JobState.DONE
    assert room.computed(gated) == 1  # it went on where it stood


def test_a_page_of_the_same_priority_waits(room: Room, tmp_path: Path, gated: int) -> None:
    slow = room.submit(folder_of(tmp_path / "slow", gated, 46))
    room.at_gate(slow, gated)
    other = room.submit(folder_of(tmp_path / "other", 47))
    until(lambda: room.jobs.get(other).listed)
    assert room.page_states(other) == ["queued"]
    room.jobs.prioritise(other, Priority.INTERACTIVE)
    assert room.finished(other).state is JobState.DONE
    assert not room.jobs.get(slow).state.is_final


def test_a_page_in_a_window_is_served_sooner_when_its_job_is(room: Room, tmp_path: Path, gated: int) -> None:
    slow = room.submit(folder_of(tmp_path / "slow", gated))
    room.at_gate(slow, gated)
    other = room.submit(folder_of(tmp_path / "other", 48))
    until(lambda: room.page_states(other) == ["running"])  # decoded ahead, behind the slow one
    room.jobs.prioritise(other, Priority.READING)
    assert room.finished(other).state is JobState.DONE
    assert not room.jobs.get(slow).state.is_final


# ---- several workers ----


def test_a_few_pages_are_dealt_out_one_by_one(pair: Room, tmp_path: Path, gated: int) -> None:
    until(lambda: len(pair.jobs._dispatcher._care.ready) == 2)
    job = pair.submit(folder_of(tmp_path / "two", gated, gated))
    until(lambda: pair.begun(gated) == 2)
    assert [page.attempt for page in pair.jobs.pages(job)] == [1, 1]
    pair.open(gated)
    assert pair.finished(job).state is JobState.DONE


def test_a_page_behind_another_goes_to_a_worker_with_nothing(pair: Room, tmp_path: Path, gated: int) -> None:
    long, short = gated, next(_widths)
    job = pair.submit(folder_of(tmp_path / "three", long, short, 59, 61))  # the latter two are decoded ahead, one each
    until(lambda: pair.begun(long) and pair.begun(short))
    pair.open(short)
    until(lambda: pair.computed(59) and pair.computed(61))
    assert not pair.jobs.get(job).state.is_final
    pair.open(long)
    assert pair.finished(job).state is JobState.DONE


# ---- the same picture twice ----


def test_what_two_jobs_want_is_computed_once(pair: Room, tmp_path: Path, gated: int) -> None:
    first = pair.submit(folder_of(tmp_path / "first", gated))
    pair.at_gate(first, gated)
    second = pair.submit(folder_of(tmp_path / "second", gated))
    until(lambda: pair.jobs.get(second).state is JobState.RUNNING)
    until(lambda: pair.page_states(second) == ["queued"])  # called back: another worker makes it
    pair.open(gated)
    assert pair.finished(second).state is pair.finished(first).state is JobState.DONE
    assert pair.computed(gated) == 1
    (page,) = pair.jobs.pages(second)
    assert page.result is not None
    assert not page.result.computed


def test_a_render_that_a_reader_waits_for_is_not_interrupted(room: Room, tmp_path: Path, gated: int) -> None:
    volume = room.submit(folder_of(tmp_path / "volume", gated, 57))
    room.at_gate(volume, gated)
    page = room.submit(folder_of(tmp_path / "read", gated), only=("01.png",), priority=Priority.READING, packs=False)
    until(lambda: room.jobs.get(page).state is JobState.RUNNING and room.page_states(page) == ["queued"])
    other = room.submit(folder_of(tmp_path / "other", 58), priority=Priority.INTERACTIVE)
    until(lambda: room.jobs.get(other).listed)
    time.sleep(0.3)  # it would have begun by now
    assert room.begun(58) == 0
    room.open(gated)
    assert [room.finished(job).state for job in (page, other, volume)] == [JobState.DONE] * 3
    assert room.computed(gated) == 1


def test_a_job_that_is_served_sooner_lends_that_to_what_it_waits_for(pair: Room, tmp_path: Path, gated: int) -> None:
    first = pair.submit(folder_of(tmp_path / "first", gated))
    pair.at_gate(first, gated)
    second = pair.submit(folder_of(tmp_path / "second", gated))
    until(lambda: pair.jobs.get(second).state is JobState.RUNNING and pair.page_states(second) == ["queued"])
    (task,) = pair.jobs._dispatcher._in_hand.of_job(first)
    pair.jobs.prioritise(second, Priority.READING)
    until(lambda: task.priority is Priority.READING)
    pair.jobs.cancel(second)
    until(lambda: task.priority is Priority.VOLUME)
    pair.open(gated)
    assert pair.finished(first).state is JobState.DONE


def test_cancelling_one_of_two_leaves_the_other_its_render(pair: Room, tmp_path: Path, gated: int) -> None:
    first = pair.submit(folder_of(tmp_path / "first", gated))
    pair.at_gate(first, gated)
    second = pair.submit(folder_of(tmp_path / "second", gated))
    until(lambda: pair.jobs.get(second).state is JobState.RUNNING)
    until(lambda: pair.page_states(second) == ["queued"])
    job = pair.jobs.cancel(first)
    out = pair.jobs.storage.output_dir(job)
    pair.jobs.delete(first)
    pair.open(gated)
    assert pair.finished(second).state is JobState.DONE
    assert pair.computed(gated) == 1
    until(lambda: not out.exists(), "a deleted job left files")


def test_cancelling_both_of_two_stops_the_render(pair: Room, tmp_path: Path, gated: int) -> None:
    first = pair.submit(folder_of(tmp_path / "first", gated))
    pair.at_gate(first, gated)
    second = pair.submit(folder_of(tmp_path / "second", gated))
    until(lambda: pair.jobs.get(second).state is JobState.RUNNING)
    until(lambda: pair.page_states(second) == ["queued"])
    pair.jobs.cancel(first)
    pair.jobs.cancel(second)
    until(lambda: not any(state.tasks for state in pair.jobs.states()), "a render goes on that nobody wants")


# ---- cancel, pause, retry ----


def test_cancel_stops_within_a_tile(room: Room, tmp_path: Path, gated: int) -> None:
    job = room.submit(folder_of(tmp_path / "book", gated, 54))
    room.at_gate(job, gated)
    assert room.jobs.cancel(job).state is JobState.CANCELLED
    until(lambda: not any(state.tasks for state in room.jobs.states()))
    assert room.page_states(job) == ["cancelled", "cancelled"]
    assert room.jobs.get(job).state is JobState.CANCELLED


def test_a_cancelled_job_can_be_tried_again(room: Room, tmp_path: Path, gated: int) -> None:
    job = room.submit(folder_of(tmp_path / "book", 40, gated))
    room.at_gate(job, gated)
    room.jobs.cancel(job)
    room.open(gated)
    room.jobs.retry(job)
    assert room.finished(job).state is JobState.DONE
    assert room.computed(40) == 1


def test_pausing_finishes_what_is_computed_and_gives_the_rest_back(room: Room, tmp_path: Path, gated: int) -> None:
    job = room.submit(folder_of(tmp_path / "book", gated, 49, 50))
    room.at_gate(job, gated)
    assert room.jobs.pause(job).state is JobState.PAUSED
    until(lambda: room.page_states(job) == ["running", "queued", "queued"])
    room.open(gated)
    until(lambda: room.page_states(job) == ["done", "queued", "queued"])
    assert room.jobs.get(job).state is JobState.PAUSED
    room.jobs.resume(job)
    assert room.finished(job).state is JobState.DONE
    assert room.computed(gated) == 1


def test_a_job_whose_last_page_ends_while_it_is_paused_ends_when_resumed(
    room: Room, tmp_path: Path, gated: int
) -> None:
    job = room.submit(folder_of(tmp_path / "book", gated))
    room.at_gate(job, gated)
    room.jobs.pause(job)
    room.open(gated)
    until(lambda: room.page_states(job) == ["done"])
    room.jobs.resume(job)
    assert room.finished(job).state is JobState.DONE


def test_only_failed_pages_are_tried_again(room: Room, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "book", 41, 42, 43)
    (folder / "02.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    job = room.submit(folder)
    assert room.finished(job).state is JobState.PARTIAL
    assert room.page_states(job) == ["done", "failed", "done"]
    folder_of(tmp_path / "whole", 41, 42, 43)
    (tmp_path / "whole" / "02.png").replace(folder / "02.png")
    room.jobs.retry(job)
    assert room.finished(job).state is JobState.DONE
    assert [room.computed(width) for width in (41, 42, 43)] == [1, 1, 1]


# ---- misfortunes ----


def test_a_page_that_kills_its_worker_alone_fails_and_the_job_goes_on(pair: Room, tmp_path: Path) -> None:
    job = pair.finished(pair.submit(folder_of(tmp_path / "book", 44, 44, DEADLY_PX, 44, 44)))
    assert job.state is JobState.PARTIAL
    failed = [page for page in pair.jobs.pages(job.id) if page.failure]
    assert [(page.name, page.failure.code) for page in failed if page.failure] == [("03.png", "worker_died")]
    assert job.counts.done == 4


def test_after_a_deadly_page_was_given_up_pages_are_decoded_ahead_again(room: Room, tmp_path: Path, gated: int) -> None:
    job = room.submit(folder_of(tmp_path / "book", DEADLY_PX, 44, gated, 51, 52))
    room.at_gate(job, gated)
    until(lambda: room.page_states(job) == ["failed", "done", "running", "running", "queued"])
    room.open(gated)
    assert room.finished(job).state is JobState.PARTIAL


def test_each_of_five_priorities_overtakes_those_below(room: Room, tmp_path: Path, gated: int) -> None:
    lowest = room.submit(folder_of(tmp_path / "lowest", gated, 51, 52), priority=Priority.INDEXING)
    room.at_gate(lowest, gated)
    widths = {priority: gated + priority for priority in Priority if priority is not Priority.INDEXING}
    others = []
    for priority, width in sorted(widths.items()):
        others.append(room.submit(folder_of(tmp_path / priority.name, width), priority=priority))
        room.at_gate(others[-1], width)
    assert [room.page_states(job) for job in others] == [["running"]] * len(others)
    for width in (gated, *widths.values()):
        room.open(width)
    assert room.finished(lowest).state is JobState.DONE


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killing_a_worker_loses_nothing(room: Room, tmp_path: Path, gated: int) -> None:
    job = room.submit(folder_of(tmp_path / "book", gated, 55, 56))
    room.at_gate(job, gated)
    until(lambda: room.page_states(job).count("running") == 2)
    (state,) = room.jobs.states()
    os.kill(state.pid, signal.SIGKILL)
    until(lambda: room.begun(gated) == 2)
    room.open(gated)
    assert room.finished(job).state is JobState.DONE
    assert [page.crashes for page in room.jobs.pages(job)] == [0, 0, 0]


def test_a_missing_model_fails_the_job_once(room: Room, tmp_path: Path) -> None:
    job = room.finished(room.submit(folder_of(tmp_path / "book", *[NO_WEIGHTS_PX] * 6)))
    assert job.state is JobState.FAILED
    assert job.reason is not None
    assert job.reason.code == "weights_missing"
    assert room.begun(NO_WEIGHTS_PX) <= 2


def test_one_page_that_fails_unforeseen_stops_nobody(room: Room, tmp_path: Path) -> None:
    job = room.finished(room.submit(folder_of(tmp_path / "book", 45, UNFORESEEN_PX, 45)))
    assert job.state is JobState.PARTIAL
    assert room.page_states(job.id) == ["done", "failed", "done"]
    assert event_types(room.jobs, job.id)[-2:] == ["packing", "partial"]
