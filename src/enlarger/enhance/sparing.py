"""A picture without its flat areas: which tiles compute the rest of it, and what goes into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from enlarger.enhance.flat_areas import CELL_PX, FlatAreas, find_flat_areas, whole_cells
from enlarger.enhance.tiles import Box, TilePlan, TileRule, cut
from enlarger.enhance.typesetting import LEAST_PIECE_PX, Piece, Press, Sheet, set_sheets
from enlarger.models import Variant
from enlarger.pictures import Pixels

_LEAST_SHARE = 0.05  # of what a picture costs: for less, tiles of another shape do not pay
_NARROW = 3  # narrow tiles are about a third of a wide one
_LONGEST = 5  # times as long as high


@dataclass(frozen=True)
class Layout:
    """The tiles of a picture, wide ones first; cells that lie in one are `computed` (rows, columns), others filled."""

    areas: FlatAreas
    halo: int
    sheets: tuple[Sheet, ...]
    computed: NDArray[np.bool_] = field(repr=False)

    @property
    def px(self) -> int:
        """Pixels that enter the network."""
        return sum(sheet.px for sheet in self.sheets)

    @property
    def largest(self) -> tuple[tuple[int, int], int]:
        """The shape (h, w) of the first tiles, and how many have it."""
        shape = self.sheets[0].shape
        return shape, sum(sheet.shape == shape for sheet in self.sheets)

    @property
    def filled_share(self) -> float:
        """Of the picture, what is not computed, 0..1."""
        return 1 - float(self.computed.mean())

    def shapes(self) -> Iterator[tuple[tuple[int, int], tuple[Sheet, ...]]]:
        """The tiles by their shape (h, w), in order."""
        for shape in dict.fromkeys(sheet.shape for sheet in self.sheets):
            yield shape, tuple(sheet for sheet in self.sheets if sheet.shape == shape)


def may_spare(variant: Variant) -> bool:
    """Whether the network answers what is left without flat areas as it answers the whole."""
    placed = CELL_PX % variant.multiple or variant.remainder  # its result depends on where a tile begins
    unknown = variant.folder and not variant.local  # a person's own: nothing says how far it sees
    return not (placed or unknown)


def press_for(rule: TileRule, max_tile_px: int) -> Press:
    """Tiles of one shape for pictures of all sizes; long ones, because lines lose least at their ends.

    They lie, or stand upright where the network is slow in wide ones.
    """
    height = rule.side(rule.useful(isqrt(max_tile_px) * 3 // 4))
    height = min(height, rule.widest_side or height)
    width = max(rule.side_within(min(max_tile_px // height, _LONGEST * height)), rule.smallest)
    narrow = rule.side(max(LEAST_PIECE_PX, rule.useful(width) // _NARROW))
    return Press(rule.halo, rule.multiple, (height, width), narrow, upright=rule.widest_side > 0)


def press_of(plan: TilePlan, rule: TileRule) -> Press:
    """Tiles of the plan's shape and no others."""
    return Press(rule.halo, rule.multiple, plan.tile, plan.tile[1])


def lay_out(plane: Pixels, most_px: int, press: Press) -> Layout | None:
    """Tiles that spare what is flat with a halo around; None where that is not clearly less than `most_px` pixels."""
    if not press.works:
        return None
    areas = find_flat_areas(plane, press.halo)
    if areas.share < _LEAST_SHARE:
        return None
    layout = _with_samples(areas, press, whole_cells(plane.shape, areas.colour.shape))
    return layout if layout.px <= (1 - _LEAST_SHARE) * most_px else None


def compose(plane: Pixels, sheet: Sheet, layout: Layout) -> Pixels:
    """The tile (h, w, C): its pieces with their halos, on the colour of the ground."""
    tile = np.empty((*sheet.shape, plane.shape[2]), plane.dtype)
    tile[...] = layout.areas.palette[layout.areas.ground]
    for piece in sheet.pieces:
        pixels = cut(plane, piece.box, layout.halo)
        tile[piece.top : piece.top + pixels.shape[0], piece.left : piece.left + pixels.shape[1]] = pixels
    return tile


def result_of(piece: Piece, result: Pixels, border: int, layout: Layout, scale: int) -> Pixels:
    """What the network gave for the piece's box, with as much around on all sides as `paste` cuts away."""
    margin = layout.halo - border
    top, left = piece.top * scale, piece.left * scale
    height, width = ((side + 2 * margin) * scale for side in (piece.box.height, piece.box.width))
    return result[top : top + height, left : left + width]


def _with_samples(areas: FlatAreas, press: Press, whole: NDArray[np.bool_]) -> Layout:
    """A layout that computes a little of every colour too: where it lies in no tile anyway, a cell beside one does.

    Cells asked for move the tiles, and what lay in one by luck may lie in none: so until no colour is missing.
    """
    layout = _laid(areas, press)
    asked = np.zeros(areas.colour.shape, bool)
    while missing := _missing(layout, whole):  # ends: what was asked for stays so, and is computed
        beside = _beside(layout.computed) & whole
        for colour in missing:
            cells = areas.colour == colour
            asked.flat[np.flatnonzero(cells & beside if (cells & beside).any() else cells & whole)[0]] = True
        layout = replace(_laid(areas.but(asked), press), areas=areas)
    return layout


def _missing(layout: Layout, whole: NDArray[np.bool_]) -> list[int]:
    """The colours of which no cell is computed."""
    sampled = set(layout.areas.colour[layout.computed & whole].tolist())
    return [colour for colour in range(len(layout.areas.palette)) if colour not in sampled]


def _laid(areas: FlatAreas, press: Press) -> Layout:
    sheets = set_sheets(areas, press)
    computed = np.zeros(areas.colour.shape, bool)
    for sheet in sheets:
        for piece in sheet.pieces:
            computed[_cells(piece.box)] = True
    return Layout(areas, press.halo, tuple(sheets), computed)


def _cells(box: Box) -> tuple[slice, slice]:
    rows, columns = (
        slice(at // CELL_PX, (at + side) // CELL_PX) for at, side in ((box.y, box.height), (box.x, box.width))
    )
    return rows, columns


def _beside(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells left and right of these."""
    beside = np.zeros_like(cells)
    beside[:, 1:] |= cells[:, :-1]
    beside[:, :-1] |= cells[:, 1:]
    return beside
