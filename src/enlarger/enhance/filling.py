"""How flat areas that were not computed get what the network gave for their colour elsewhere in the picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from enlarger.enhance.flat_areas import CELL_PX, whole_cells
from enlarger.enhance.sparing import Layout
from enlarger.pictures import Pixels

TOLERANCE, TOLERANCE_DEEP = 1, 257  # of 8 and of 16 bits: one level of 255, what the last bit of arithmetic may do
_MOST_SAMPLES = 8  # cells, of one colour, that must agree


class NoOneAnswerError(Exception):
    """What the network gives for a flat colour is not the same everywhere, or nowhere known."""


def fill(canvas: Pixels, layout: Layout, scale: int, period: int, tolerance: int) -> None:
    """Paint into the canvas all that was not computed; what was is already there.

    A network that strides may answer a flat colour with a pattern: one that repeats every `period` pixels of the
    picture is an answer. Samples of a colour may differ by `tolerance`, in the canvas's own numbers, the last bit of a
    network's arithmetic; where they differ by more, NoOneAnswerError.
    """
    areas = layout.areas
    source = (canvas.shape[0] // scale, canvas.shape[1] // scale)
    known = layout.computed & whole_cells(source, areas.colour.shape)
    for colour in range(len(areas.palette)):
        todo = (areas.colour == colour) & ~layout.computed
        if todo.any():
            cells = np.argwhere((areas.colour == colour) & known)
            _paint(canvas, todo, _answer(_samples(canvas, cells, scale), period * scale, tolerance), scale)


def _samples(canvas: Pixels, cells: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    """(n, h, w, C) of some of the cells, spread over all of them; NoOneAnswerError where there is none."""
    if not len(cells):
        raise NoOneAnswerError
    side = CELL_PX * scale
    chosen = cells[np.linspace(0, len(cells) - 1, min(len(cells), _MOST_SAMPLES)).astype(int)]
    return np.stack([canvas[y * side :, x * side :][:side, :side] for y, x in chosen.tolist()]).astype(np.int64)


def _answer(samples: NDArray[np.int64], period: int, tolerance: int) -> NDArray[np.int64]:
    """One period (p, p, C) of what all samples show."""
    count, side, _, channels = samples.shape
    repeats = side // period
    periods = samples.reshape(count, repeats, period, repeats, period, channels).swapaxes(2, 3)
    shown = periods.reshape(-1, period, period, channels)
    if (shown.max(axis=0) - shown.min(axis=0)).max() > tolerance:
        raise NoOneAnswerError
    answer: NDArray[np.int64] = np.rint(np.median(shown, axis=0)).astype(np.int64)
    return answer


def _paint(canvas: Pixels, cells: NDArray[np.bool_], answer: NDArray[np.int64], scale: int) -> None:
    pattern = _pattern(answer.astype(canvas.dtype), CELL_PX * scale, canvas.shape[1])
    for row, left, right in _runs(cells):
        y, x = row * CELL_PX * scale, slice(left * CELL_PX * scale, right * CELL_PX * scale)
        target = canvas[y : y + CELL_PX * scale, x]
        for channel in range(canvas.shape[2]):  # a canvas has four bytes a pixel: whole rows at once take longer
            target[:, :, channel] = pattern[: target.shape[0], : target.shape[1], channel]


def _pattern(answer: Pixels, height: int, width: int) -> Pixels:
    """The answer repeated over so many rows and columns; one colour takes no memory."""
    if (answer == answer[0, 0]).all():
        return np.broadcast_to(answer[0, 0], (height, width, answer.shape[2]))
    side = answer.shape[0]
    return np.tile(answer, (-(-height // side), -(-width // side), 1))


def _runs(cells: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """(row, first column, column after the last) of all cells side by side."""
    padded = np.zeros((cells.shape[0], cells.shape[1] + 2), np.int8)
    padded[:, 1:-1] = cells
    steps = np.diff(padded, axis=1)
    rows, begins = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    yield from zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True)
