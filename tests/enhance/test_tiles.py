"""Tiles cover a picture once, and put together again they are the picture."""

from __future__ import annotations

from math import lcm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance.tiles import SIDE_STEP_PX, TileRule, cut, force_tiles, paste, plan_tiles

rules = st.builds(
    TileRule,
    halo=st.sampled_from([0, 7, 18, 32]),
    multiple=st.sampled_from([1, 2, 4, 48]),
    step=st.sampled_from([1, SIDE_STEP_PX]),
    remainder=st.sampled_from([0, 16]),
    widest=st.sampled_from([0, 0, 224]),
)
sides = st.integers(1, 3000)


@given(st.integers(1, 700), st.integers(1, 700), rules, st.integers(1, 60_000))
def test_boxes_cover_the_picture_once_and_none_lies_outside(width: int, height: int, rule: TileRule, most: int) -> None:
    plan = plan_tiles(width, height, rule, most)
    boxes = list(plan.boxes())
    assert len(boxes) == plan.count
    assert all(box.x < width and box.y < height for box in boxes)
    inside = sum(min(b.width, width - b.x) * min(b.height, height - b.y) for b in boxes)
    assert inside == width * height
    assert len({(b.x, b.y) for b in boxes}) == plan.count


@hypothesis_settings(max_examples=50)  # a plan for tiny tiles looks at many columns
@given(sides, sides, rules, st.integers(1, 1_000_000))
def test_tiles_keep_the_networks_rule_and_the_budget(width: int, height: int, rule: TileRule, most: int) -> None:
    plan = plan_tiles(width, height, rule, most)
    assert all((side - rule.remainder) % lcm(rule.multiple, rule.step) == 0 for side in plan.tile)
    assert plan.tile[0] * plan.tile[1] <= max(most, rule.smallest**2)
    assert 0 < plan.useful_share <= 1
    assert not rule.widest or plan.tile[1] <= rule.widest_side


@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(1, 3), st.sampled_from([0, 3, 8]), st.sampled_from([1, 2, 3])
)
def test_stitched_nearest_neighbour_is_the_whole_picture(
    width: int, height: int, channels: int, halo: int, scale: int
) -> None:
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, channels), np.uint8)
    plan = plan_tiles(width, height, TileRule(halo), 48 * 48)
    canvas = np.zeros((height * scale, width * scale, channels), np.uint8)
    for box in plan.boxes():
        tile = cut(pixels, box, halo)
        assert tile.shape[:2] == plan.tile
        paste(canvas, tile.repeat(scale, 0).repeat(scale, 1), box, scale)
    assert np.array_equal(canvas, pixels.repeat(scale, 0).repeat(scale, 1))


@hypothesis_settings(deadline=None)
@given(sides, sides, rules, st.integers(32, 1024))
def test_forced_tiles_answer_for_what_was_asked_for(width: int, height: int, rule: TileRule, useful: int) -> None:
    plan = force_tiles(width, height, rule, useful)
    inside = sum(min(b.width, width - b.x) * min(b.height, height - b.y) for b in plan.boxes())
    assert inside == width * height
    step = lcm(rule.multiple, rule.step)
    for side, length in zip(plan.tile, (height, width), strict=True):
        wanted = max(min(useful, length) + 2 * rule.halo, 64)
        assert wanted <= side < wanted + step


def test_beyond_the_picture_its_edge_pixels_are_repeated() -> None:
    pixels = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    plan = plan_tiles(2, 2, TileRule(4), 10_000)
    tile = cut(pixels, next(plan.boxes()), 4)[:, :, 0]
    assert (tile[0, 0], tile[0, -1], tile[-1, 0], tile[-1, -1]) == (0, 1, 2, 3)


@pytest.mark.parametrize(("width", "height"), [(1400, 2000), (1403, 1998), (2800, 2000), (800, 20000), (8000, 6000)])
def test_pages_use_most_of_what_is_computed(width: int, height: int) -> None:
    plan = plan_tiles(width, height, TileRule(18, 4), 768 * 768)
    assert plan.useful_share > 0.85


def test_pages_of_nearly_one_size_share_a_tile() -> None:
    tiles = {plan_tiles(width, 2000, TileRule(18), 768 * 768).tile for width in range(1370, 1400)}
    assert len(tiles) <= 2
