"""Megapixels a second and time left, reckoned from pages computed and never from pages found finished."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.cli.pace import Pace
from enlarger.enhance import PageOutcome


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def outcome(name: str, status: Any = "computed") -> PageOutcome:
    return PageOutcome(name, status, facts={"source_size": (1000, 2000)})


def test_nothing_is_promised_before_something_is_known() -> None:
    pace = Pace(10, Clock())
    assert (pace.completed, pace.megapixels_per_s, pace.left_s) == (0, None, None)


def test_the_share_of_a_page_moves_time_left() -> None:
    clock = Clock()
    pace = Pace(4, clock)
    clock.now_s += 5
    pace.advance("a", 0.5)
    assert pace.completed == 0.5
    assert pace.left_s == pytest.approx(35)


def test_speed_counts_computed_pages() -> None:
    clock = Clock()
    pace = Pace(4, clock)
    clock.now_s += 4
    pace.advance("a", 1.0)
    pace.finish(outcome("a"))
    assert pace.megapixels_per_s == pytest.approx(0.5)
    assert pace.left_s == pytest.approx(12)
    assert pace.done == 1


@pytest.mark.parametrize("status", ["kept", "cached", "failed"])
def test_pages_that_cost_nothing_say_nothing(status: str) -> None:
    clock = Clock()
    pace = Pace(12, clock)
    for number in range(10):
        clock.now_s += 1
        pace.finish(outcome(str(number), status))
    assert pace.left_s is None
    clock.now_s += 3
    pace.finish(outcome("computed"))
    assert pace.left_s == pytest.approx(3)


def test_a_page_is_not_counted_twice_while_the_next_is_in_hand() -> None:
    pace = Pace(3, Clock())
    pace.advance("a", 1.0)
    pace.advance("b", 0.25)
    pace.finish(outcome("a"))
    assert pace.completed == 1.25


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), max_size=40))
def test_completed_never_passes_the_pages(steps: list[tuple[int, float]]) -> None:
    pace = Pace(6, Clock())
    finished = set()
    for number, share in steps:
        if number in finished:
            continue
        pace.advance(str(number), share)
        if share == 1:
            finished.add(number)
            pace.finish(outcome(str(number)))
        assert 0 <= pace.completed <= 6
