"""Where a picture is exactly flat for as far as a network sees: such areas need not be computed.

What a network gives for a pixel depends on the pixel and its halo. Where all of that is one colour, it gives what it
gives for that colour anywhere, so one answer fills all areas of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures import Pixels

CELL_PX = 8  # a multiple of what networks stride by; finer follows drawings closer and takes longer to look at
_LEAST_AREA_PX = 100 * 100  # of one colour: below, asking for it costs about as much as it spares
_PATCH_PX = 2  # the picture is looked at in patches of this, so that sums over halos are quick


@dataclass(frozen=True)
class FlatAreas:
    """A grid of cells over a picture; `colour` (rows, columns) has an index into `palette` (n, C), -1 where busy."""

    colour: NDArray[np.int32]
    palette: Pixels

    @cached_property
    def busy(self) -> NDArray[np.bool_]:
        """Which cells must be computed."""
        return self.colour < 0

    @property
    def turned(self) -> FlatAreas:
        """The same areas of the picture whose rows are this one's columns."""
        return FlatAreas(self.colour.T, self.palette)

    @property
    def share(self) -> float:
        """Of all cells, how many need not be computed, 0..1."""
        return 1 - float(self.busy.mean())

    @cached_property
    def ground(self) -> int:
        """The colour that most of the flat area has; -1 where there is none."""
        flat = self.colour[self.colour >= 0]
        return int(np.bincount(flat).argmax()) if flat.size else -1

    def is_ground(self, rows: slice, column: int) -> bool:
        """Whether all these cells of a column have that colour; none has beyond the picture."""
        inside = 0 <= column < self.colour.shape[1]
        return inside and bool((self.colour[rows, column] == self.ground).all())

    def but(self, cells: NDArray[np.bool_]) -> FlatAreas:
        """The same with these cells busy."""
        return FlatAreas(np.where(cells, np.int32(-1), self.colour), self.palette)


def find_flat_areas(plane: Pixels, reach_px: int) -> FlatAreas:
    """Cells of `plane` (H, W, C) that are one colour with `reach_px` around; beyond the picture its edge goes on.

    Colours of small areas are left out, and such as only have cells that the picture's edge cuts.
    """
    rows, columns = (-(-side // CELL_PX) for side in plane.shape[:2])
    flat = _undisturbed(_changes(plane), rows, columns, reach_px)
    colours = plane[::CELL_PX, ::CELL_PX]
    _, index = np.unique(_as_numbers(colours[flat]), return_inverse=True)
    index = index.reshape(-1)
    kept = np.bincount(index, whole_cells(plane.shape, flat.shape)[flat]) * CELL_PX**2 >= _LEAST_AREA_PX
    colour = np.full((rows, columns), -1, np.int32)
    colour[flat] = np.where(kept, np.cumsum(kept) - 1, -1)[index]
    palette = np.zeros((int(kept.sum()), plane.shape[2]), plane.dtype)
    palette[colour[colour >= 0]] = colours[colour >= 0]
    return FlatAreas(colour, palette)


def whole_cells(shape: tuple[int, ...], grid: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which cells of a grid (rows, columns) over a picture of this shape (H, W, …) lie inside it whole."""
    whole = np.zeros(grid[:2], bool)
    whole[: shape[0] // CELL_PX, : shape[1] // CELL_PX] = True
    return whole


def _changes(plane: Pixels) -> NDArray[np.bool_]:
    """For each patch, whether anything changes in it or towards the patches right of it and below."""
    height, width = plane.shape[:2]
    changes = np.zeros((height + height % _PATCH_PX, width + width % _PATCH_PX), bool)
    for channel in range(plane.shape[2]):  # channel by channel: comparing whole pixels takes several times as long
        values = np.ascontiguousarray(plane[:, :, channel])
        changes[: height - 1, :width] |= values[1:] != values[:-1]
        changes[:height, : width - 1] |= values[:, 1:] != values[:, :-1]
    halves = changes[::_PATCH_PX] | changes[1::_PATCH_PX]
    joined: NDArray[np.bool_] = halves[:, ::_PATCH_PX] | halves[:, 1::_PATCH_PX]
    return joined


def _undisturbed(changes: NDArray[np.bool_], rows: int, columns: int, reach_px: int) -> NDArray[np.bool_]:
    """Which cells have no change within reach, by one table of sums."""
    sums = np.zeros((changes.shape[0] + 1, changes.shape[1] + 1), np.int32)
    np.cumsum(changes, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    top, bottom = _windows(rows, changes.shape[0], reach_px)
    left, right = _windows(columns, changes.shape[1], reach_px)
    across = sums[:, right] - sums[:, left]
    undisturbed: NDArray[np.bool_] = across[bottom] == across[top]
    return undisturbed


def _windows(cells: int, patches: int, reach_px: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each cell the first patch within reach, and the one after the last."""
    begins = np.arange(cells) * CELL_PX
    first = (begins - reach_px) // _PATCH_PX
    after = -(-(begins + CELL_PX + reach_px) // _PATCH_PX)
    return first.clip(0, patches), after.clip(0, patches)


def _as_numbers(colours: Pixels) -> NDArray[np.int64]:
    """(n, C) colours of up to 16 bits as one number each."""
    numbers = np.zeros(len(colours), np.int64)
    for channel in range(colours.shape[1]):
        numbers = numbers << 16 | colours[:, channel]
    return numbers
