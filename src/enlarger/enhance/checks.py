"""Whether what a network gave can be a picture: networks in low precision can overflow into NaN or black."""

from __future__ import annotations

import numpy as np

from enlarger.pictures import Pixels

_CONTRAST_STD = 10.0  # of 255: paper grain and a lone speck of dust, which denoising rightly removes, stay below
_FLAT = 2


def is_plausible(source: Pixels, result: Pixels) -> bool:
    """False when the source has contrast and its result none: all black, NaN turned to black, or constant.

    Both without halo: ink that only the halo shows leaves a result rightly white.
    """
    return not _is_flat(result) or float(source[::2, ::2].std()) < _CONTRAST_STD * _level(source)


def _is_flat(pixels: Pixels) -> bool:
    flat = _FLAT * _level(pixels)
    return _spread(pixels[::4, ::4]) <= flat and _spread(pixels) <= flat  # the sample settles most tiles


def _level(pixels: Pixels) -> int:
    """What one level of 255 is in the pixels' own numbers."""
    return int(np.iinfo(pixels.dtype).max) // 255


def _spread(pixels: Pixels) -> int:
    return int(pixels.max()) - int(pixels.min())
