"""Pictures for tests: noise that no two seeds share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures import Metadata, Picture


def noise(seed: int, width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    """(height, width, channels) pixels that no two seeds share."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def picture(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> Picture:
    return Picture(pixels, alpha, Metadata(None, None, None, None), "png")
