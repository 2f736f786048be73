"""Whether what a network gave can be a picture: networks in low precision can overflow into NaN or black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from enlarger.pictures import Pixels

_CONTRAST_STD = 10.0  # of 255: paper grain and a lone speck of dust, which denoising rightly removes, stay below
_FLAT = 2


def are_plausible(sources: Sequence[Pixels], results: Sequence[Pixels]) -> bool:
    """False when the sources have contrast and their results none: all black, NaN turned to black, or constant.

    What one tile has of several places is judged together; all without halo: ink that only the halo shows leaves a
    result rightly white.
    """
    return not _are_flat(results) or _contrast(sources) < _CONTRAST_STD * _level(sources[0])


def _are_flat(parts: Sequence[Pixels]) -> bool:
    flat = _FLAT * _level(parts[0])
    return _spread([part[::4, ::4] for part in parts]) <= flat and _spread(parts) <= flat  # the sample settles most


def _contrast(parts: Sequence[Pixels]) -> float:
    return float(np.concatenate([part[::2, ::2].reshape(-1) for part in parts]).std())


def _level(pixels: Pixels) -> int:
    """What one level of 255 is in the pixels' own numbers."""
    return int(np.iinfo(pixels.dtype).max) // 255


def _spread(parts: Sequence[Pixels]) -> int:
    return max(int(part.max()) for part in parts) - min(int(part.min()) for part in parts)
