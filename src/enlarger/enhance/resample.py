"""Resampling and grey on whole planes, by Pillow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resample(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, C) pixels at another size, Lanczos; the same array when the size fits."""
    if pixels.shape[:2] == (height, width):
        return pixels
    plane = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    resized = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))
    return resized.reshape(height, width, pixels.shape[2])


def to_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1) luma (ITU-R BT.601) of (H, W, 3) RGB: networks tint grey by a level or two."""
    return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, np.newaxis]
