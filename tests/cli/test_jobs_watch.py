"""Watching a job: every event once across restarts, a bar that knows the time left, words for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from enlarger.cli.jobs_client import Event
from enlarger.cli.jobs_watch import Progress, error_text, follow, state_word
from enlarger.errors import ServerError, UnknownJobError
from enlarger.jobs import Failure, JobState, refusals
from enlarger.messages import msg


class Streams:
    """A server that says what each connection brings: events, and at its end an error or nothing."""

    def __init__(self, *connections: list[Event | Exception]) -> None:
        self._connections = iter(connections)
        self.asked: list[int] = []

    @contextmanager
    def stream(self, _job_id: str, after: int) -> Iterator[Iterator[Event]]:
        self.asked.append(after)
        connection = next(self._connections)
        if connection and isinstance(connection[0], Exception):
            raise connection[0]
        yield self._told(connection)

    def _told(self, connection: list[Event | Exception]) -> Iterator[Event]:
        for each in connection:
            if isinstance(each, Exception):
                raise each
            yield each


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def clock(self) -> float:
        return self.now_s


def event(number: int | None, state: str = "running", **data: Any) -> Event:
    return Event(number, {"number": number, "state": state, "total": 4, "done": 0, "failed": 0, "cancelled": 0} | data)


def gone() -> ServerError:
    return ServerError(msg("gone"))


def followed(streams: Streams, time: Time, lost: Callable[[], None] = lambda: None) -> list[int | None]:
    events = follow(streams, "id", 0, lost=lost, sleep=time.sleep, clock=time.clock)  # type: ignore[arg-type]
    return [each.number for each in events]


def test_a_job_is_followed_to_its_end() -> None:
    streams = Streams([event(1), event(None, share=0.5), event(2, "packing"), event(3, "done"), event(4)])
    assert followed(streams, Time()) == [1, None, 2, 3]


def test_a_restart_is_survived_from_the_last_number_on() -> None:
    streams, time, lost = Streams([event(1), event(2), gone()], [gone()], [gone()], [event(3, "done")]), Time(), []
    assert followed(streams, time, lambda: lost.append(1)) == [1, 2, 3]
    assert streams.asked == [0, 2, 2, 2]
    assert time.slept == [0.5, 1.0, 2.0]
    assert lost == [1]


def test_a_stream_that_ends_before_the_job_is_asked_for_again() -> None:
    streams = Streams([event(1)], [], [event(2, "cancelled")])
    assert followed(streams, Time()) == [1, 2]
    assert streams.asked == [0, 1, 1]


def test_the_end_of_an_earlier_round_ends_nothing_when_the_watching_began_behind_it() -> None:
    streams = Streams([event(6, "queued"), event(7, "done")])
    assert [each.number for each in follow(streams, "id", 5)] == [6, 7]  # type: ignore[arg-type]
    assert streams.asked == [5]


def test_a_server_that_never_was_there_is_an_error_at_once() -> None:
    time = Time()
    with pytest.raises(ServerError):
        followed(Streams([gone()]), time)
    assert time.slept == []


def test_a_server_that_stays_away_is_an_error_in_the_end() -> None:
    time = Time()
    with pytest.raises(ServerError):
        followed(Streams([event(1), gone()], *[[gone()] for _ in range(100)]), time)
    assert time.now_s > 100


def test_a_job_deleted_meanwhile_is_an_error() -> None:
    with pytest.raises(UnknownJobError):
        followed(Streams([event(1), gone()], [UnknownJobError(msg("no such job"))]), Time())


# ---- where it is ----


def test_the_time_left_counts_what_was_done_while_watching() -> None:
    clock = Time()
    progress = Progress(total=10, done=4, failed=0, state="running", clock=clock.clock)
    assert progress.left_s is None
    clock.now_s = 30.0
    progress.take(event(1, type="page_done", page="a", total=10, done=6))
    assert progress.left_s == pytest.approx(60.0)
    progress.take(event(None, page="b", share=0.5))
    assert progress.completed == 6.5
    assert progress.left_s == pytest.approx(3.5 * 30 / 2.5)
    progress.take(event(2, type="page_failed", page="b", total=10, done=6, failed=1))
    assert (progress.completed, progress.finished) == (7, 7)


def test_nothing_is_reckoned_while_nothing_is_computed() -> None:
    clock = Time()
    progress = Progress(total=4, done=0, failed=0, state="running", clock=clock.clock)
    clock.now_s = 10.0
    progress.take(event(None, page="a", share=0.5))
    progress.take(event(1, "paused"))
    assert (progress.completed, progress.left_s, progress.shares) == (0, None, {})


# ---- words ----


def test_every_state_has_a_word() -> None:
    assert all(str(state_word(state)) for state in JobState)
    assert str(state_word("one of a later version")) == "one of a later version"


@pytest.mark.parametrize("state", JobState)
def test_the_command_and_the_server_call_a_state_the_same(state: JobState) -> None:
    assert state_word(state) == refusals.state_word(state)


@pytest.mark.parametrize("told", [True, False])
def test_an_error_is_told_from_either_form(told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    failure = Failure("bad_picture", msg("{name}: broken", name="a.png"), msg("Mend it."))
    stored = failure.as_json()
    server_says = {"code": "bad_picture", "message": "a.png: broken", "remedy": "Mend it."}
    assert error_text(server_says if told else stored) == "a.png: broken Mend it."
    assert error_text(None) == ""


def test_chinese_sentences_follow_each_other_without_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "zh")
    assert error_text({"message": "这一页已损坏。", "remedy": "请重试。"}) == "这一页已损坏。请重试。"
