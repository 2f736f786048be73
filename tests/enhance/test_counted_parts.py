"""What tiles share of a picture's averages adds up to what one tile of all of it would average."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flat_pictures import islands
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from enlarger.enhance.shared_averages import parts_of_layout, parts_of_plan
from enlarger.enhance.sparing import compose, lay_out, press_for
from enlarger.enhance.tiles import TileRule, cut, plan_tiles
from enlarger.pictures import Pixels
from enlarger.runtimes import Parts
from enlarger.runtimes.pooling_grid import PoolingGrid

LIMIT_PX = 160 * 160
RULES = {2: TileRule(18, 2, 1), 3: TileRule(14, 4, 1)}  # Real-CUGAN's
GRIDS = [(2, "1/2", 6), (2, "1", 22), (2, "1/2", 15), (2, "1", 34), (3, "1/2", 6), (3, "3/2", 28), (3, "3/4", 18)]
sides = st.integers(80, 400)


def features(tile: Pixels, ratio: Fraction, lost: int) -> NDArray[np.float64]:
    """(1, h, w): each sees as many pixels as a side loses, from its own on, with weights of their own."""
    reach = int(lost / ratio)
    height, width = (int(ratio * side) - lost for side in tile.shape[:2])
    rows, columns = (np.arange(count) * ratio.denominator // ratio.numerator for count in (height, width))
    values = tile[:, :, 0].astype(np.float64)
    seen = values[rows][:, columns] + 3 * values[rows + reach // 2][:, columns] + 5 * values[rows][:, columns + reach]
    return seen[np.newaxis]


def total(tiles: list[Pixels], parts: list[Parts], ratio: Fraction, lost: int) -> float:
    grid = PoolingGrid(ratio, Fraction(lost), 1)
    shares = (grid.share(features(tile, ratio, lost), of) for tile, of in zip(tiles, parts, strict=True))
    return float(sum(share[0] for share in shares))


@pytest.mark.parametrize(("scale", "ratio", "lost"), GRIDS)
@hypothesis_settings(max_examples=12)
@given(st.integers(0, 9999), sides, sides, st.integers(1, 3))
def test_shares_add_up_to_the_average_of_one_tile(
    scale: int, ratio: str, lost: int, seed: int, width: int, height: int, grounds: int
) -> None:
    pixels, rule, exact = islands(seed, width, height, channels=1, grounds=grounds), RULES[scale], Fraction(ratio)
    plan = plan_tiles(width, height, rule, LIMIT_PX)
    (box,) = plan_tiles(width, height, rule, 10**9).boxes()
    whole = features(cut(pixels, box, rule.halo), exact, lost).mean()
    tiles = [cut(pixels, box, rule.halo) for box in plan.boxes()]
    assert total(tiles, parts_of_plan(plan, rule.multiple), exact, lost) == pytest.approx(whole, rel=1e-5)
    layout = lay_out(pixels, plan.count * plan.tile_px, press_for(rule, LIMIT_PX))
    if layout is None:
        return
    sheets = [compose(pixels, sheet, layout) for _, of in layout.shapes() for sheet in of]
    parts = [each for of in parts_of_layout(layout, (height, width), rule.multiple) for each in of]
    assert total(sheets, parts, exact, lost) == pytest.approx(whole, rel=1e-5)
