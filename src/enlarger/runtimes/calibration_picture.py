"""The picture that calibration runs: what pages and photographs hold, made by a formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CELL_PX = 32


def textured_tile(tile: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3) RGB: gradients with fine grain, ink lines, screentone and flat paper, always the same."""
    rows, columns = np.mgrid[: tile[0], : tile[1]].astype(np.float32)
    patches = (_photo(rows, columns), _ink(rows, columns), _screentone(rows, columns), np.full((*tile, 3), 0.97))
    which = ((rows // _CELL_PX + 2 * (columns // _CELL_PX)) % len(patches)).astype(np.intp)
    picture = np.choose(which[..., np.newaxis], patches)
    pixels: NDArray[np.uint8] = np.rint(picture * 255).clip(0, 255).astype(np.uint8)
    return pixels


def _photo(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float64]:
    grain = np.random.default_rng(0).normal(0, 0.03, (*rows.shape, 3))
    phases = np.array([0.0, 1.0, 2.0])
    wave = np.sin(rows[..., np.newaxis] / 11 + phases) + np.cos(columns[..., np.newaxis] / 7 - phases)
    photo: NDArray[np.float64] = 0.5 + 0.2 * wave + grain
    return photo


def _ink(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    distance = np.abs(np.sin(np.hypot(rows - 3, columns - 5) / 4)) * 6  # circles, a few pixels apart
    return _grey(np.clip(distance - 0.7, 0, 1))


def _screentone(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    dots = np.cos((rows + columns) * (np.pi / 3)) * np.cos((rows - columns) * (np.pi / 3))
    return _grey(np.clip(0.5 + 2 * dots, 0, 1))


def _grey(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.repeat(plane[..., np.newaxis], 3, axis=2)
