"""Flat areas: everything they hold is one colour as far as a network sees, and hardly anything else is left out."""

from __future__ import annotations

import numpy as np
import pytest
from flat_pictures import islands
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance.flat_areas import CELL_PX, find_flat_areas

sides = st.integers(1, 400)


def window(pixels: np.ndarray, row: int, column: int, reach: int) -> np.ndarray:
    """The cell and what lies around it, up to the picture's edges."""
    top, left = row * CELL_PX - reach, column * CELL_PX - reach
    side = CELL_PX + 2 * reach
    return pixels[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]


@hypothesis_settings(max_examples=40)
@given(st.integers(0, 999), sides, sides, st.sampled_from([1, 3]), st.integers(1, 3), st.sampled_from([0, 7, 18, 33]))
def test_a_flat_cell_is_one_colour_as_far_as_it_matters(
    seed: int, width: int, height: int, channels: int, grounds: int, reach: int
) -> None:
    pixels = islands(seed, width, height, channels=channels, grounds=grounds)
    areas = find_flat_areas(pixels, reach)
    assert areas.colour.shape == (-(-height // CELL_PX), -(-width // CELL_PX))
    for row, column in np.argwhere(~areas.busy).tolist():
        seen = window(pixels, row, column, reach)
        assert (seen == areas.palette[areas.colour[row, column]]).all()


@hypothesis_settings(max_examples=40)
@given(st.integers(0, 999), st.integers(200, 400), st.integers(200, 400), st.sampled_from([0, 7, 18]))
def test_what_is_flat_a_little_further_is_found(seed: int, width: int, height: int, reach: int) -> None:
    pixels = islands(seed, width, height)
    areas = find_flat_areas(pixels, reach)
    if not len(areas.palette):  # less than is worth it
        return
    ground = areas.palette[areas.ground]
    for row, column in np.argwhere(areas.busy).tolist():
        seen = window(pixels, row, column, reach + 2)
        assert not (seen == ground).all()


def test_colours_are_told_apart_in_sixteen_bits_too() -> None:
    pixels = np.zeros((200, 400, 3), np.uint16)
    pixels[:, 200:, 2] = 1
    areas = find_flat_areas(pixels, 18)
    assert sorted(areas.palette[:, 2].tolist()) == [0, 1]
    assert areas.busy[:, 24:26].all()
    assert not areas.busy[:, :22].any()


def test_little_of_a_colour_is_not_worth_an_answer() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 1), np.uint8)
    pixels[:100, :100] = 9  # less, without what noise beside it disturbs
    assert find_flat_areas(pixels, 18).busy.all()
    pixels[:300, :300] = 9
    areas = find_flat_areas(pixels, 18)
    assert areas.palette.tolist() == [[9]]
    assert areas.share == pytest.approx((280 // CELL_PX) ** 2 / 50**2, abs=0.01)


def test_the_ground_is_the_commonest_colour_and_ends_with_the_picture() -> None:
    pixels = np.full((400, 400, 1), 250, np.uint8)
    pixels[:, :150] = 7
    areas = find_flat_areas(pixels, 8)
    assert areas.palette[areas.ground] == 250
    assert areas.is_ground(slice(0, 10), 30)
    assert not areas.is_ground(slice(0, 10), 3)
    assert not areas.is_ground(slice(0, 10), -1)
    assert not areas.is_ground(slice(0, 10), 50)
