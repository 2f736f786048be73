"""Pictures with flat areas, and networks that show what is wrong with how those are spared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.models import Graph
from enlarger.runtimes import FakeRuntime, FakeSession, SessionSpec


def islands(
    seed: int, width: int, height: int, *, channels: int = 3, grounds: int = 1, dtype: type = np.uint8
) -> NDArray[Any]:
    """(height, width, channels): up to four rectangles of noise on `grounds` flat colours beside each other."""
    rng = np.random.default_rng(seed)
    most = np.iinfo(dtype).max
    pixels = np.empty((height, width, channels), dtype)
    for index, part in enumerate(np.array_split(pixels, grounds, axis=1)):
        part[...] = (index * 83 + 200) % 256 * (most // 255)
    for _ in range(rng.integers(0, 5)):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(1, max(2, width // 3)), rng.integers(1, max(2, height // 3))
        part = pixels[y : y + h, x : x + w]
        part[...] = rng.integers(0, most, part.shape, dtype)
    return pixels


class SeeingRuntime(FakeRuntime):
    """Every result is the sum, modulo 256, of all within `reach`: a tile that lacks any of it, or has others, shows.

    `pattern` (h, w) is added to what it gives, repeated over the tile: a network that textures what is flat.
    `block`: of so many pixels a side it sees only the first one, counted from the tile's corner: it folds.
    """

    def __init__(self, reach: int, pattern: NDArray[Any] | None = None, *, block: int = 1) -> None:
        super().__init__()
        self.reach = reach
        self.block = block
        self.pattern = pattern
        self.tiles: list[tuple[int, ...]] = []

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> FakeSession:
        """A session that sees as far."""
        spec = super().open(graph, tile=tile, device=device, dtype=dtype, pixels=pixels, batch=batch).spec
        return _SeeingSession(self, spec)


class _SeeingSession(FakeSession):
    def __init__(self, runtime: SeeingRuntime, spec: SessionSpec) -> None:
        super().__init__(runtime, spec)
        self._seeing = runtime

    def _nearest(self, tile: NDArray[Any]) -> NDArray[Any]:
        self._seeing.tiles.append(tile.shape)
        seen = _in_blocks(tile, self._seeing.block)
        if self._seeing.reach:
            seen = _summed(_summed(seen.astype(np.int64), self._seeing.reach, 0), self._seeing.reach, 1) % 256
        enlarged = super()._nearest(seen.astype(tile.dtype))
        if self._seeing.pattern is None:
            return enlarged
        height, width = self._seeing.pattern.shape
        repeats = (-(-enlarged.shape[0] // height), -(-enlarged.shape[1] // width))
        added = np.tile(self._seeing.pattern, repeats)[: enlarged.shape[0], : enlarged.shape[1], np.newaxis]
        return (enlarged // 2 + added).astype(tile.dtype)


def _in_blocks(tile: NDArray[Any], block: int) -> NDArray[Any]:
    """Every pixel of a block as its first one is: what a network that folds may make of them."""
    return tile[::block, ::block].repeat(block, axis=0).repeat(block, axis=1)


def _summed(values: NDArray[Any], reach: int, axis: int) -> NDArray[Any]:
    """Sums over `reach` on both sides; beyond the tile is nothing, as with padding by zeros."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach + 1, reach)
    sums = np.pad(values, padding).cumsum(axis=axis)
    count, step = values.shape[axis], 2 * reach + 1
    later, earlier = ([slice(None)] * values.ndim for _ in range(2))
    later[axis], earlier[axis] = slice(step, step + count), slice(0, count)
    result: NDArray[Any] = sums[tuple(later)] - sums[tuple(earlier)]
    return result
