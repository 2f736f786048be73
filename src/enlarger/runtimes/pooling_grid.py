"""Which features of a tile a global average pooling counts, so that every feature of a picture is counted once.

Tiles overlap by their halo, and the last ones reach beyond the picture. Averaging whole tiles counts seams twice and
what lies beyond at all; Real-CUGAN's networks answer with 36 to 41 dB against the picture in one tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from enlarger.runtimes.session import Part
from enlarger.runtimes.tile_memory import shaped

_SIDES_PX = (192, 240)  # multiples of whatever a network asks for, and large enough for every one


@dataclass(frozen=True)
class PoolingGrid:
    """How many features a side of so many pixels has, ratio * side - lost, and in how many channels."""

    ratio: Fraction
    lost: Fraction
    channels: int

    def counted(self, part: Part) -> tuple[int, int]:
        """Rows and columns, from the first, that begin on the tile's own pixels and end inside the picture."""
        rows, columns = (
            max(0, min(int(self.ratio * own), self._features(inside)))
            for own, inside in zip(part.own, part.inside, strict=True)
        )
        return rows, columns

    def total(self, part: Part) -> int:
        """Features of the whole picture."""
        height, width = (self._features(side) for side in part.picture)
        return height * width

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
