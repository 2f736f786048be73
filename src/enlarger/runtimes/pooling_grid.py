"""Which features of a tile a global average pooling counts, so that every feature of a picture is counted once.

Tiles overlap by their halo, and the last ones reach beyond the picture. Averaging whole tiles counts seams twice and
what lies beyond at all; Real-CUGAN's networks answer with 36 to 41 dB against the picture in one tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.runtimes.session import Part, Parts
from enlarger.runtimes.tile_memory import shaped

_SIDES_PX = (192, 240)  # multiples of whatever a network asks for, and large enough for every one


@dataclass(frozen=True)
class PoolingGrid:
    """How many features a side of so many pixels has, ratio * side - lost, and in how many channels."""

    ratio: Fraction
    lost: Fraction
    channels: int

    def counted(self, part: Part) -> tuple[slice, slice]:
        """Rows and columns of the tile's features that begin on the part's own pixels and end inside the picture."""
        firsts = (int(self.ratio * at) for at in part.corner)
        counts = (
            max(0, min(int(self.ratio * own), self._features(inside)))
            for own, inside in zip(part.own, part.inside, strict=True)
        )
        rows, columns = (slice(first, first + count) for first, count in zip(firsts, counts, strict=True))
        return rows, columns

    def weight(self, part: Part) -> float:
        """What each of the part's features adds to the picture's average, as a factor."""
        height, width = (self._features(side) for side in part.picture)
        if part.stands_for is None:
            return 1 / (height * width)
        own: int = prod(counted.stop - counted.start for counted in self.counted(part))
        return self._features_of(part, part.stands_for) / own / (height * width)

    def share(self, features: NDArray[Any], parts: Parts) -> NDArray[np.float32]:
        """(C,): what the parts of one tile, whose features (C, h, w) these are, add to the picture's average."""
        sums = (self.weight(part) * features[:, *self.counted(part)].sum((1, 2), np.float64) for part in parts)
        return np.asarray(sum(sums, np.zeros(len(features))), np.float32)

    def _features_of(self, part: Part, cells: NDArray[np.bool_]) -> float:
        """How many features begin in these cells; the last ones have all that is left of the picture."""
        heights, widths = (
            np.diff([*(int(self.ratio * cell * index) for index in range(count)), self._features(side)])
            for count, cell, side in zip(cells.shape, part.own, part.picture, strict=True)
        )
        return float(heights @ cells @ widths)

    def _features(self, side: int) -> int:
        return int(self.ratio * side - self.lost)


PIXELS = PoolingGrid(Fraction(1), Fraction(0), 3)  # of a pooling of the picture itself


@lru_cache(maxsize=64)
def pooling_grids(path: Path) -> tuple[PoolingGrid, ...]:
    """One for each global average pooling of the ONNX file, in its order, from its sizes at two sides."""
    small, large = (_pooled(path, side) for side in _SIDES_PX)
    return tuple(_grid(*before, after) for before, (_, after) in zip(small, large, strict=True))


def _grid(channels: int, small: int, large: int) -> PoolingGrid:
    ratio = Fraction(large - small, _SIDES_PX[1] - _SIDES_PX[0])
    return PoolingGrid(ratio, ratio * _SIDES_PX[0] - small, channels)


def _pooled(path: Path, side: int) -> list[tuple[int, int]]:
    """(channels, height) of what each pooling averages."""
    graph = shaped(path, (side, side)).graph
    shapes = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in graph.value_info}
    pooled = [shapes[node.input[0]] for node in graph.node if node.op_type == "GlobalAveragePool"]
    return [(channels, height) for _, channels, height, _ in pooled]
