"""Setting in tiles: nothing is left out, nothing is computed twice, and every piece has its true surroundings."""

from __future__ import annotations

from itertools import product

import numpy as np
from flat_pictures import islands
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance.flat_areas import CELL_PX, find_flat_areas
from enlarger.enhance.sparing import compose, lay_out, press_for, press_of
from enlarger.enhance.tiles import TileRule, cut, plan_tiles
from enlarger.enhance.typesetting import Press, set_sheets

rules = st.sampled_from(
    [TileRule(12), TileRule(12, widest=96), TileRule(18, 2), TileRule(28, 4), TileRule(7, 2, 1), TileRule(0, 1, 1)]
)
limits = st.sampled_from([100**2, 160**2, 300**2])
sides = st.integers(60, 500)


@hypothesis_settings(max_examples=50)
@given(st.integers(0, 9999), sides, sides, st.integers(1, 2), rules, limits, st.booleans())
def test_every_busy_cell_is_in_one_piece_with_what_the_picture_has_around_it(
    seed: int, width: int, height: int, grounds: int, rule: TileRule, limit: int, forced: bool
) -> None:
    pixels = islands(seed, width, height, channels=1, grounds=grounds)
    plan = plan_tiles(width, height, rule, limit)
    press = press_of(plan, rule) if forced else press_for(rule, limit)
    layout = lay_out(pixels, plan.count * plan.tile_px, press)
    if layout is None:
        return
    times = np.zeros(layout.areas.colour.shape, int)
    for sheet in layout.sheets:
        assert sheet.shape in press.shapes
        tile = compose(pixels, sheet, layout)
        assert tile.shape == (*sheet.shape, 1)
        for piece in sheet.pieces:
            box = piece.box
            seen = cut(pixels, box, rule.halo)
            assert piece.left % rule.multiple == piece.top % rule.multiple == 0
            around = tile[piece.top : piece.top + seen.shape[0], piece.left : piece.left + seen.shape[1]]
            assert np.array_equal(around, seen)
            times[
                box.y // CELL_PX : -(-(box.y + box.height) // CELL_PX),
                box.x // CELL_PX : (box.x + box.width) // CELL_PX,
            ] += 1
    assert times.max() == 1
    assert (times[layout.areas.busy] == 1).all()
    assert np.array_equal(times > 0, layout.computed)
    assert set(range(len(layout.areas.palette))) <= set(layout.areas.colour[layout.computed].tolist())


def test_a_network_that_is_slow_in_wide_tiles_gets_narrow_ones() -> None:
    assert press_for(TileRule(18, widest=224), 512**2).shapes == ((1120, 224), (416, 224))
    assert press_for(TileRule(18), 512**2).shapes[0][1] > 512


def page(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """White, 1400 x 2000, with noise in these boxes (x, y, width, height)."""
    pixels = np.full((2000, 1400, 1), 255, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8)
    for x, y, width, height in boxes:
        pixels[y : y + height, x : x + width] = noise[y : y + height, x : x + width]
    return pixels


def spared(pixels: np.ndarray) -> float:
    """The share of the plan's pixels that are not computed."""
    rule = TileRule(18, 2)
    plan = plan_tiles(pixels.shape[1], pixels.shape[0], rule, 756**2)
    planned_px = plan.count * plan.tile_px
    layout = lay_out(pixels, planned_px, press_for(rule, 756**2))
    return 0 if layout is None else 1 - layout.px / planned_px


def flat_share(pixels: np.ndarray, block: int = 64, halo: int = 18) -> float:
    """Blocks that are one colour with 18 pixels around, as a share of the picture."""
    height, width = pixels.shape[:2]
    flat = 0
    for y, x in product(range(0, height, block), range(0, width, block)):
        seen = pixels[max(y - halo, 0) : y + block + halo, max(x - halo, 0) : x + block + halo]
        flat += (seen.min() == seen.max()) * min(block, height - y) * min(block, width - x)
    return flat / (height * width)


PAGES = (
    page((120, 120, 1160, 1760)),
    page((150, 90, 1100, 1820)),
    page((120, 120, 1160, 500), (120, 1000, 1160, 600)),
    page((120, 120, 400, 1700), (900, 120, 380, 1700)),
    page((100, 100, 1200, 520), (100, 660, 580, 600), (720, 660, 580, 600), (100, 1300, 700, 600)),
    page((500, 700, 400, 600)),
    page(*((170, y, 900, 22) for y in range(150, 1850, 120))),
)


def test_four_fifths_of_what_is_flat_are_spared() -> None:
    """On the whole: what a page needs is whole tiles, so that one page gets more and another less."""
    shares = [(spared(pixels), flat_share(pixels)) for pixels in PAGES]
    print(", ".join(f"{saved:.1%} of {flat:.1%}" for saved, flat in shares))
    assert sum(saved for saved, _ in shares) >= 0.8 * sum(flat for _, flat in shares)
    assert all(saved >= 0.7 * flat for saved, flat in shares)


def test_an_empty_page_is_one_narrow_tile() -> None:
    assert spared(page()) > 0.9


def test_a_full_page_is_left_as_it_was_planned() -> None:
    assert spared(page((0, 0, 1400, 2000))) == 0
    assert spared(page((30, 30, 1340, 1940))) == 0


def test_pieces_side_by_side_on_the_ground_share_what_is_around_them() -> None:
    """Two columns on white: between them no halo but what is white of either."""
    areas = find_flat_areas(page((120, 120, 400, 400), (900, 120, 380, 400)), 18)
    (sheet,) = set_sheets(areas, Press(18, 2, (500, 1000), 1000))
    first, second = sheet.pieces
    assert second.left == first.left + first.box.width
