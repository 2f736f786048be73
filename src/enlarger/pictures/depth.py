"""Bits a channel: fewer spread over a whole type, and 16 brought to 8 where a format holds no more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures.picture import Pixels

_ROWS = 256  # brought to another depth at once: wider numbers take more than pixels take


def spread(samples: NDArray[Any], bits: int) -> Pixels:
    """Samples of `bits` bits, 1 to 16, over all of uint8 if they fit there, else of uint16."""
    if bits in (8, 16):
        return samples.astype(np.uint8 if bits == 8 else np.uint16, copy=False)
    target = np.uint8 if bits < 8 else np.uint16
    table: Pixels = np.rint(np.arange(2**bits) * (np.iinfo(target).max / (2**bits - 1))).astype(target)
    found: Pixels = table[np.minimum(samples, 2**bits - 1).astype(np.intp)]
    return found


def at_8_bits(samples: Pixels) -> Pixels:
    """uint16 brought to uint8, rounded; uint8 as it is. A constant plane stays one (strides 0)."""
    if samples.dtype == np.uint8:
        return samples
    if samples.strides[:2] == (0, 0):
        return np.broadcast_to(_rounded(samples[:1, :1]), samples.shape)
    result = np.empty(samples.shape, np.uint8)
    for top in range(0, len(samples), _ROWS):
        result[top : top + _ROWS] = _rounded(samples[top : top + _ROWS])
    return result


def _rounded(samples: Pixels) -> Pixels:
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 / 255 = 257
