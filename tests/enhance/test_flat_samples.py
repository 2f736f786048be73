"""Every flat colour that is to be filled is computed somewhere, however the tiles fall."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance.filling import NoOneAnswerError, fill
from enlarger.enhance.flat_areas import CELL_PX, FlatAreas, whole_cells
from enlarger.enhance.sparing import Layout, lay_out, press_for
from enlarger.enhance.tiles import TileRule, plan_tiles
from enlarger.pictures import Pixels

rules = st.sampled_from([TileRule(12), TileRule(18, 2), TileRule(7, 2, 1)])
sides = st.integers(300, 700)


def rectangles(seed: int, width: int, height: int) -> Pixels:
    """(height, width, 1): up to thirty rectangles of few colours, a page of coloured panels."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 1), 255, np.uint8)
    for _ in range(rng.integers(4, 30)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(4, width // 2), rng.integers(4, height // 2)
        pixels[y : y + h, x : x + w] = rng.integers(0, 12) * 20
    return pixels


@hypothesis_settings(max_examples=60)
@given(st.integers(0, 999_999), sides, sides, rules)
def test_every_colour_still_to_be_filled_is_known(seed: int, width: int, height: int, rule: TileRule) -> None:
    known_of_all(rectangles(seed, width, height), rule)


@pytest.mark.parametrize(("seed", "width", "height"), [(993120, 672, 535), (462078, 617, 440), (146114, 663, 632)])
def test_a_colour_that_was_computed_by_luck_is_asked_for_later(seed: int, width: int, height: int) -> None:
    known_of_all(rectangles(seed, width, height), TileRule(12))


def known_of_all(pixels: Pixels, rule: TileRule) -> None:
    limit = 160 * 160
    plan = plan_tiles(pixels.shape[1], pixels.shape[0], rule, limit)
    layout = lay_out(pixels, plan.count * plan.tile_px, press_for(rule, limit))
    if layout is None:
        return
    known = layout.computed & whole_cells(pixels.shape, layout.areas.colour.shape)
    for colour in range(len(layout.areas.palette)):
        cells = layout.areas.colour == colour
        assert (cells & known).any() or not (cells & ~layout.computed).any()


def test_a_colour_of_which_nothing_is_known_has_no_answer() -> None:
    areas = FlatAreas(np.zeros((2, 2), np.int32), np.zeros((1, 1), np.uint8))
    layout = Layout(areas, 0, (), np.zeros((2, 2), bool))
    with pytest.raises(NoOneAnswerError):
        fill(np.zeros((2 * CELL_PX, 2 * CELL_PX, 1), np.uint8), layout, 1, 1, 0)
