"""Whether what a network gave can be a picture: networks in low precision can overflow into NaN or black."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CONTRAST_STD = 10.0  # of 255: paper grain and a lone speck of dust, which denoising rightly removes, stay below
_FLAT = 2


def is_plausible(source: NDArray[np.uint8], result: NDArray[np.uint8]) -> bool:
    """False when the source has contrast and its result none: all black, NaN turned to black, or constant.

    Both without halo: ink that only the halo shows leaves a result rightly white.
    """
    return not _is_flat(result) or float(source[::2, ::2].std()) < _CONTRAST_STD


def _is_flat(pixels: NDArray[np.uint8]) -> bool:
    return _spread(pixels[::4, ::4]) <= _FLAT and _spread(pixels) <= _FLAT  # the sample settles most tiles


def _spread(pixels: NDArray[np.uint8]) -> int:
    return int(pixels.max()) - int(pixels.min())
