"""What of each tile counts in the averages that Real-CUGAN's tiles share: every feature of a picture once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from enlarger.enhance.flat_areas import CELL_PX, whole_cells
from enlarger.enhance.sparing import Layout
from enlarger.enhance.tiles import Box, TilePlan
from enlarger.enhance.typesetting import Sheet
from enlarger.models import Variant
from enlarger.runtimes import Part, Parts

_Sample = tuple[Box, NDArray[np.bool_]]  # a computed cell, and those that are not computed and look like it


def shares_averages(plan: TilePlan, variant: Variant) -> bool:
    """Whether the tiles share the picture's averages; one tile has them by itself."""
    return plan.count > 1 and variant.shared_poolings > 0


def parts_of_plan(plan: TilePlan, multiple: int) -> list[Parts]:
    """Of each tile of the plan: up to where the next tile begins."""
    whole = _whole((plan.height, plan.width), plan.halo, multiple)
    parts: list[Parts] = []
    for index, box in enumerate(plan.boxes()):
        is_last = (index // plan.columns == plan.rows - 1, index % plan.columns == plan.columns - 1)
        parts.append([_part(box, plan.halo, whole, is_last)])
    return parts


def parts_of_layout(layout: Layout, size: tuple[int, int], multiple: int) -> list[list[Parts]]:
    """Of each sheet, shape by shape, over a picture of this size (h, w): its pieces.

    And of every colour one cell for all that are not computed.

    Where a network sees nothing but one colour its features are the same: what comes out is the average of the whole.
    """
    whole = _whole(size, layout.halo, multiple)
    samples = list(_samples(layout, size))
    return [[list(_parts_of_sheet(sheet, layout, whole, samples)) for sheet in sheets] for _, sheets in layout.shapes()]


def _samples(layout: Layout, size: tuple[int, int]) -> Iterator[_Sample]:
    colours = layout.areas.colour
    known = layout.computed & whole_cells(size, colours.shape)
    for colour in range(len(layout.areas.palette)):
        alike = colours == colour
        if (alike & ~layout.computed).any():
            y, x = np.argwhere(alike & known)[0].tolist()  # a layout computes one of each
            yield Box(x * CELL_PX, y * CELL_PX, CELL_PX, CELL_PX), alike & ~layout.computed


def _parts_of_sheet(sheet: Sheet, layout: Layout, whole: tuple[int, int], samples: Sequence[_Sample]) -> Iterator[Part]:
    rows, columns = layout.computed.shape
    for piece in sheet.pieces:
        box, corner = piece.box, (piece.top, piece.left)
        is_last = (box.y + box.height == rows * CELL_PX, box.x + box.width == columns * CELL_PX)
        yield replace(_part(box, layout.halo, whole, is_last), corner=corner)
        for cell, alike in samples:
            if _holds(box, cell):
                at = (piece.top + cell.y - box.y, piece.left + cell.x - box.x)
                yield replace(_part(cell, layout.halo, whole, (False, False)), corner=at, stands_for=alike)


def _part(box: Box, halo: int, whole: tuple[int, int], is_last: tuple[bool, bool]) -> Part:
    """The box with its halo; `is_last`: nothing begins below, or to the right of it."""
    sides = (box.height, box.width)
    inside = [min(side + 2 * halo, of - at) for side, of, at in zip(sides, whole, (box.y, box.x), strict=True)]
    own = [within if last else side for side, within, last in zip(sides, inside, is_last, strict=True)]
    return Part((own[0], own[1]), (inside[0], inside[1]), whole)


def _whole(size: tuple[int, int], halo: int, multiple: int) -> tuple[int, int]:
    """What one tile for all of the picture would hold (h, w)."""
    height, width = (ceil((side + 2 * halo) / multiple) * multiple for side in size)
    return height, width


def _holds(box: Box, cell: Box) -> bool:
    return box.x <= cell.x < box.x + box.width and box.y <= cell.y < box.y + box.height
