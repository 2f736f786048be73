"""Test-time augmentation: the eight orientations of a picture, each undone by its inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures import Pixels

COUNT = 8


def orient(pixels: Pixels, index: int) -> Pixels:
    """Orientation `index`, 0..7, of (H, W, C) pixels; 0 is the picture itself."""
    turned = np.rot90(pixels, index % 4)
    return np.ascontiguousarray(turned if index < 4 else turned[:, ::-1])


def restore(pixels: Pixels, index: int) -> Pixels:
    """The inverse of `orient`."""
    unmirrored = pixels if index < 4 else pixels[:, ::-1]
    return np.rot90(unmirrored, -(index % 4))


def average_over_orientations(pixels: Pixels, infer: Callable[[Pixels], Pixels]) -> Pixels:
    """The mean of what `infer` gives for all eight, turned back; as waifu2x's TTA mode does."""
    total: NDArray[Any] | None = None
    wide = np.uint16 if pixels.dtype == np.uint8 else np.uint32
    for index in range(COUNT):
        result = restore(infer(orient(pixels, index)), index).astype(wide)
        total = result if total is None else total + result
    assert total is not None
    return ((total + COUNT // 2) // COUNT).astype(pixels.dtype)
