"""How what is left of a picture beside its flat areas is laid out in tiles, as text is set in columns.

The picture is cut into bands, each band into blocks that must be computed. Blocks are set in lines, one after the
other; what does not fit at the end of a line goes on in the next. A tile holds one line of its own height, or several
lower ones. So a tile has pieces of several places, and any share of a picture fills whole tiles of one shape; the last
ones may be narrower. Where tiles are to be upright, all of this is done with the picture's rows and columns exchanged.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from enlarger.enhance.flat_areas import CELL_PX, FlatAreas
from enlarger.enhance.tiles import Box

LEAST_PIECE_PX = 4 * CELL_PX  # a line's end too short for this stays empty: it would be all halo
_MOST_NARROWED = 3  # last tiles that narrow ones are tried for


@dataclass(frozen=True)
class Piece:
    """A part of the picture in a tile: the box with its halo begins `left`, `top` pixels from the tile's corner."""

    box: Box
    left: int
    top: int

    @property
    def turned(self) -> Piece:
        """Rows and columns exchanged."""
        return Piece(self.box.turned, self.top, self.left)


@dataclass(frozen=True)
class Sheet:
    """One tile, (height, width) halos included, and the pieces in it."""

    shape: tuple[int, int]
    pieces: tuple[Piece, ...]

    @property
    def px(self) -> int:
        """Pixels of the tile."""
        return self.shape[0] * self.shape[1]

    @property
    def turned(self) -> Sheet:
        """Rows and columns exchanged."""
        return Sheet(self.shape[::-1], tuple(piece.turned for piece in self.pieces))


@dataclass(frozen=True)
class Press:
    """What there is to set with: tiles of `shape` (h, w), and `narrow` ones, so many pixels wide, for what is left.

    Pieces have `halo` pixels around and begin at multiples of `multiple`. `upright`: lines run from top to bottom, and
    the tiles that enter the network have these sides exchanged.
    """

    halo: int
    multiple: int
    shape: tuple[int, int]
    narrow: int
    upright: bool = False

    @property
    def works(self) -> bool:
        """Whether a tile has room for anything between its halos."""
        return self.rows(1) > 0 and min(self.shape[1], self.narrow) - 2 * self.halo >= LEAST_PIECE_PX

    @property
    def shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The two shapes (h, w) in which tiles enter the network, the long one first."""
        long, short = self.shape, (self.shape[0], self.narrow)
        return (long[::-1], short[::-1]) if self.upright else (long, short)

    @property
    def most_lines(self) -> int:
        """Lines of a tile that have room for a row of cells."""
        return max(1, self.shape[0] // (CELL_PX + 2 * self.halo))

    def line_px(self, lines: int) -> int:
        """A line's height where a tile has so many, halos included."""
        return self.shape[0] // lines // self.multiple * self.multiple

    def rows(self, lines: int) -> int:
        """Rows of cells that such a line holds."""
        return (self.line_px(lines) - 2 * self.halo) // CELL_PX

    def lines_for(self, rows: int) -> int:
        """As many lines as leave room for so many rows of cells."""
        return next(lines for lines in range(self.most_lines, 0, -1) if self.rows(lines) >= rows)


@dataclass(frozen=True)
class _Block:
    """A box to be set, and whether all beside it, on the left and on the right, has the colour of the ground."""

    box: Box
    opens: bool
    closes: bool

    def cut(self, width: int) -> tuple[_Block, _Block]:
        """The first `width` pixels and the rest."""
        first = replace(self.box, width=width)
        rest = replace(self.box, x=self.box.x + width, width=self.box.width - width)
        return _Block(first, self.opens, False), _Block(rest, False, self.closes)


_Text = dict[int, deque[_Block]]  # by how many lines a tile has for them
_Set = list[tuple[_Block, Piece]]


def set_sheets(areas: FlatAreas, press: Press) -> list[Sheet]:
    """Tiles in which every busy cell is computed; what is free in them has to get the colour of the ground.

    The fewest pixels that bands and lines allow.
    """
    if press.upright:
        return [sheet.turned for sheet in set_sheets(areas.turned, replace(press, upright=False))]
    text = _text((block for band in _bands(areas.busy, press) for block in _blocks(areas, band)), press)
    wide = [(press.shape, placed) for placed in _set(text, press, press.shape[1])]
    narrow = (press.shape[0], press.narrow)
    choices = [wide]
    for count in range(1, min(_MOST_NARROWED, len(wide)) + 1):
        last = _text((block for _, placed in wide[-count:] for block, _ in placed), press)
        choices.append(wide[:-count] + [(narrow, placed) for placed in _set(last, press, press.narrow)])
    best = min(choices, key=lambda sheets: sum(shape[1] for shape, _ in sheets))
    return [Sheet(shape, tuple(piece for _, piece in placed)) for shape, placed in best]


def _bands(busy: NDArray[np.bool_], press: Press) -> Iterator[slice]:
    """Rows in the cheapest bands from top to bottom, found backwards from the last; empty rows are left out.

    A band costs its line's height times the columns that are busy anywhere in it.
    """
    height = busy.shape[0]
    tallest, filled = press.rows(1), np.asarray(busy.any(axis=1))
    price = np.array([press.shape[0] / press.lines_for(rows) for rows in range(1, tallest + 1)])
    costs, ends = np.zeros(height + 1), np.arange(1, height + 1)
    for row in np.flatnonzero(filled)[::-1].tolist():
        columns = np.logical_or.accumulate(busy[row : row + tallest], axis=0).sum(axis=1)
        totals = price[: len(columns)] * columns + costs[row + 1 : row + 1 + len(columns)]
        best = int(totals.argmin())
        costs[row], ends[row] = totals[best], row + 1 + best

    row = 0
    while row < height:
        if filled[row]:
            yield slice(row, int(ends[row]))
        row = int(ends[row])


def _blocks(areas: FlatAreas, band: slice) -> Iterator[_Block]:
    """What is busy of a band, in runs of columns, each without its empty rows above and below."""
    busy = areas.busy[band]
    edges = np.flatnonzero(np.diff(busy.any(axis=0), prepend=False, append=False))
    for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        filled = np.flatnonzero(busy[:, left:right].any(axis=1))
        rows = slice(band.start + int(filled[0]), band.start + int(filled[-1]) + 1)
        box = Box(left * CELL_PX, rows.start * CELL_PX, (right - left) * CELL_PX, (rows.stop - rows.start) * CELL_PX)
        yield _Block(box, areas.is_ground(rows, left - 1), areas.is_ground(rows, right))


def _text(blocks: Iterable[_Block], press: Press) -> _Text:
    text: _Text = defaultdict(deque)
    for block in blocks:
        text[press.lines_for(block.box.height // CELL_PX)].append(block)
    return text


def _set(text: _Text, press: Press, width: int) -> list[_Set]:
    """All blocks in tiles of this width, the tallest lines first; lines of several heights stand side by side."""
    sheets: list[_Set] = []
    used = width
    for lines, blocks in sorted(text.items()):
        rest = blocks
        while rest:
            if width - used < 2 * press.halo + LEAST_PIECE_PX:
                sheets.append([])
                used = 0
            placed, rest, taken = _column(rest, press, lines, used, width - used)
            sheets[-1] += placed
            used = used + taken if placed else width
    return sheets


def _column(blocks: deque[_Block], press: Press, lines: int, left: int, room: int) -> tuple[_Set, deque[_Block], int]:
    """What fits into lines from `left` on: set blocks, blocks left over, and the width that was taken.

    All lines end together, so that what comes next has the tile's whole height.
    """
    placed, rest = _lines(blocks, press, lines, left, room)
    if rest:
        return placed, rest, room
    least = sum(block.box.width for block in blocks) // lines + 2 * press.halo
    for width in range(_rounded(least, press.multiple), room, CELL_PX):
        narrower, rest = _lines(blocks, press, lines, left, width)
        if not rest:
            return narrower, rest, width
    return placed, deque(), room


def _lines(blocks: deque[_Block], press: Press, lines: int, left: int, width: int) -> tuple[_Set, deque[_Block]]:
    """As many of the blocks, in their order, as so many lines of this width hold; what does not fit whole is cut."""
    queue: deque[_Block] = deque(blocks)
    placed: _Set = []
    for line in range(lines):
        at, open_end = 0, False
        while queue:
            block = queue[0]
            if open_end and block.opens:  # ground meets ground: what either sees beyond is the same
                at -= 2 * press.halo
            fits = _fitting(block.box, width - at - 2 * press.halo)
            if not fits:
                break
            queue.popleft()
            if fits < block.box.width:
                block, rest = block.cut(fits)
                queue.appendleft(rest)
            placed.append((block, Piece(block.box, left + at, line * press.line_px(lines))))
            at += _rounded(block.box.width + 2 * press.halo, press.multiple)
            open_end = block.closes
    return placed, queue


def _fitting(box: Box, room: int) -> int:
    """How much of the box's width fits, in whole cells; 0 where it is not worth it."""
    if box.width <= room:
        return box.width
    cut = min(room // CELL_PX * CELL_PX, box.width - CELL_PX)
    return cut if cut >= LEAST_PIECE_PX else 0


def _rounded(px: int, multiple: int) -> int:
    return -(-px // multiple) * multiple
