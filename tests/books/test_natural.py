from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.books import natural_key

NAMES = st.lists(st.text(st.sampled_from("aAbé0129０１. ()-_/第話十①²"), min_size=1, max_size=12), max_size=12)


@pytest.mark.parametrize(
    "in_order",
    [
        ["1.jpg", "2.jpg", "10.jpg"],
        ["p1 v2.jpg", "p1 v10.jpg", "p2.jpg"],
        ["第1話/1.jpg", "第2話/1.jpg", "第10話/1.jpg"],
        ["第１話.jpg", "第2話.jpg", "第１０話.jpg"],
        ["a.jpg", "B.jpg", "c.jpg"],
        ["01.jpg", "01 (2).jpg", "02.jpg"],
        ["ch 1/10.jpg", "ch 1 extra/1.jpg", "ch 2/1.jpg"],
        ["ch1/1.jpg", "cover.jpg"],
        ["01.jpg", "1.jpg", "1.png"],
    ],
)
def test_readers_expect(in_order: list[str]) -> None:
    backwards = in_order[::-1]
    assert sorted(backwards, key=natural_key) == in_order


@given(NAMES, st.randoms())
def test_the_order_does_not_depend_on_the_order_of_arrival(names: list[str], random: Random) -> None:
    shuffled = random.sample(names, len(names))
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_text_can_be_sorted(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(sorted(names), key=natural_key)


@given(st.text(max_size=10), st.text(max_size=10))
def test_only_equal_names_have_equal_keys(one: str, other: str) -> None:
    assert (natural_key(one) == natural_key(other)) == (one == other)


def test_numbers_longer_than_python_converts() -> None:
    """A zip's name may be 64 KiB of digits; int() refuses 4301."""
    assert sorted(["9" * 5000 + ".jpg", "1.jpg"], key=natural_key)
