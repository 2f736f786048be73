"""The picture that calibration runs: pieces of a coloured page, two inked ones and a landscape, from the sample volume.

A drawn picture, because formulas mislead: on perfect lattices and mosaics the networks are chaotic, and how far bf16 is
from fp32 there says nothing about pages.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures import decode

SIDE_PX = 160
_NAME = "calibration.png"


def page_tile(tile: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3) RGB from the middle, where all four pieces meet; reflected where a tile is larger than the picture."""
    assert __package__
    pixels = decode((files(__package__) / _NAME).read_bytes(), name=_NAME).pixels.astype(np.uint8, copy=False)
    rows, columns = (_middle(length, held) for length, held in zip(tile, pixels.shape, strict=False))
    return pixels[np.ix_(rows, columns)]


def _middle(length: int, held: int) -> NDArray[np.intp]:
    positions = np.arange(length) + (held - length) // 2
    return np.abs((positions - (held - 1)) % (2 * (held - 1)) - (held - 1))
