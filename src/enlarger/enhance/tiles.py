"""How a picture is cut into equal tiles and put together again.

The picture is extended on all sides by the network's halo with its own edge pixels, so that one rule serves
valid networks (waifu2x, Real-CUGAN) and same-padded ones (Real-ESRGAN), and all tiles of a page have one size:
static shapes are faster, and a volume needs few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt, lcm

import numpy as np

from enlarger.pictures import Pixels

SIDE_STEP_PX = 32  # tile sides are multiples of this, so that pages of nearly one size share a compiled graph
SMALLEST_SIDE_PX = 64  # the deepest of the networks leaves something of this


@dataclass(frozen=True)
class Box:
    """The part of the picture a tile answers for; it may reach beyond the right and lower edges."""

    x: int
    y: int
    width: int
    height: int

    @property
    def turned(self) -> Box:
        """The same part of the picture whose rows are this one's columns."""
        return Box(self.y, self.x, self.height, self.width)


@dataclass(frozen=True)
class TileRule:
    """What is asked of a tile's sides, halo included: multiples of `multiple`, for the network, and of `step`.

    For networks that look through windows they are more than such a multiple by `remainder`. Where `widest` is not 0,
    a tile is no wider if that can be.

    A step of 1 follows each picture's size, so that nothing but the picture enters the averages of a network, and
    tiles of an asked-for size have that size.
    """

    halo: int
    multiple: int = 1
    step: int = SIDE_STEP_PX
    remainder: int = 0
    widest: int = 0

    @property
    def widest_side(self) -> int:
        """The largest width allowed; 0: any."""
        return max(self.side_within(self.widest), self.smallest) if self.widest else 0

    @property
    def smallest(self) -> int:
        """The shortest side that leaves something after the halo."""
        return self.side(1)

    def side(self, useful: int) -> int:
        """The shortest allowed side that holds `useful` pixels between its halos."""
        needed = max(useful + 2 * self.halo, SMALLEST_SIDE_PX)
        return ceil((needed - self.remainder) / self._step) * self._step + self.remainder

    def side_within(self, limit: int) -> int:
        """The longest allowed side not above `limit`; may be useless, even negative."""
        return (limit - self.remainder) // self._step * self._step + self.remainder

    def useful(self, side: int) -> int:
        """What a side holds between its halos."""
        return side - 2 * self.halo

    @property
    def _step(self) -> int:
        return lcm(self.step, self.multiple)


@dataclass(frozen=True)
class TilePlan:
    """A grid of equal tiles over a picture of `width` x `height` pixels.

    `tile` is (height, width) of what enters the network, halo included.
    """

    width: int
    height: int
    halo: int
    tile: tuple[int, int]
    columns: int
    rows: int

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.columns * self.rows

    @property
    def tile_px(self) -> int:
        """Pixels of one tile, halo included."""
        return self.tile[0] * self.tile[1]

    @property
    def useful_share(self) -> float:
        """Pixels of the picture over pixels computed, 0..1."""
        return self.width * self.height / (self.count * self.tile_px)

    def boxes(self) -> Iterator[Box]:
        """The tiles' boxes, row by row."""
        height, width = (side - 2 * self.halo for side in self.tile)
        for row in range(self.rows):
            for column in range(self.columns):
                yield Box(column * width, row * height, width, height)


def plan_tiles(width: int, height: int, rule: TileRule, max_tile_px: int) -> TilePlan:
    """The plan that computes the fewest pixels with no tile above `max_tile_px` pixels (halo included).

    A budget below the smallest possible tile gives that tile.
    """
    allowed = max(max_tile_px, rule.smallest**2)
    narrowest = max(rule.smallest, rule.side_within(isqrt(allowed) // 4))  # narrower tiles are mostly halo
    fewest = ceil(width / rule.useful(rule.widest_side)) if rule.widest else 1
    most = max(ceil(width / rule.useful(narrowest)), fewest)
    plans = (_plan_columns(width, height, rule, max_tile_px, columns) for columns in range(fewest, most + 1))
    return min((plan for plan in plans if plan.tile_px <= allowed), key=_cost)


def force_tiles(width: int, height: int, rule: TileRule, useful_px: int) -> TilePlan:
    """The plan whose tiles each answer for `useful_px` pixels a side, fewer where the picture has no more.

    Not below what the smallest tile holds; a little more where the network's multiple asks for it.
    """
    tile = (rule.side(min(useful_px, height)), rule.side(min(useful_px, width)))
    rows, columns = (ceil(side / rule.useful(of)) for side, of in zip((height, width), tile, strict=True))
    return TilePlan(width, height, rule.halo, tile, columns, rows)


def cut(pixels: Pixels, box: Box, halo: int) -> Pixels:
    """The box with its halo, (h, w, C); beyond the picture its edge pixels are repeated."""
    height, width = pixels.shape[:2]
    top, left = box.y - halo, box.x - halo
    bottom, right = box.y + box.height + halo, box.x + box.width + halo
    inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    beyond = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0))
    return inside if not np.any(beyond) else np.pad(inside, beyond, mode="edge")


def paste(canvas: Pixels, result: Pixels, box: Box, scale: int) -> None:
    """Put a tile's result into the canvas; what the network gave for the halo is cut away."""
    margin_y = (result.shape[0] - box.height * scale) // 2
    margin_x = (result.shape[1] - box.width * scale) // 2
    y, x = box.y * scale, box.x * scale
    height = min(box.height * scale, canvas.shape[0] - y)
    width = min(box.width * scale, canvas.shape[1] - x)
    core = result[margin_y : margin_y + height, margin_x : margin_x + width]
    for channel in range(canvas.shape[2]):  # a canvas has four bytes a pixel: whole rows at once take 2.5 times as long
        canvas[y : y + height, x : x + width, channel] = core[:, :, channel]


def _plan_columns(width: int, height: int, rule: TileRule, max_tile_px: int, columns: int) -> TilePlan:
    tile_width = rule.side(ceil(width / columns))
    tallest = max(rule.smallest, rule.side_within(max_tile_px // tile_width))
    rows = ceil(height / rule.useful(tallest))
    return TilePlan(width, height, rule.halo, (rule.side(ceil(height / rows)), tile_width), columns, rows)


def _cost(plan: TilePlan) -> tuple[int, int]:
    return plan.count * plan.tile_px, plan.count
