"""Resampling and grey on whole planes, by Pillow, and 16 bits as the floats that networks take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlarger.pictures import Pixels

_MOST = 65535
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's "L"


def resample(pixels: Pixels, width: int, height: int) -> Pixels:
    """(H, W, C) pixels at another size, Lanczos; the same array when the size fits."""
    if pixels.shape[:2] == (height, width):
        return pixels
    if pixels.dtype == np.uint16:
        return _deep_resampled(pixels, width, height)
    plane = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    resized = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))
    return resized.reshape(height, width, pixels.shape[2])


def _deep_resampled(pixels: Pixels, width: int, height: int) -> Pixels:
    """Channel by channel as floats: Pillow has no colours of 16 bits."""
    resized = np.empty((height, width, pixels.shape[2]), np.uint16)
    for channel in range(pixels.shape[2]):
        plane = Image.fromarray(pixels[:, :, channel].astype(np.float32))
        floats = np.asarray(plane.resize((width, height), Image.Resampling.LANCZOS))
        resized[:, :, channel] = np.rint(np.clip(floats, 0, _MOST))
    return resized


def to_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1) luma (ITU-R BT.601) of (H, W, 3) RGB: networks tint grey by a level or two."""
    return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, np.newaxis]


def as_floats(tile: Pixels) -> NDArray[np.float32]:
    """0..65535 as 0..1, what a session of float pixels takes."""
    return tile.astype(np.float32) * np.float32(1 / _MOST)


def from_floats(tile: NDArray[np.float32], channels: int) -> NDArray[np.uint16]:
    """(h, w, 3) of 0..1 as 0..65535; as luma where one channel is wanted."""
    values = tile if channels == 3 else (tile @ _LUMA)[:, :, np.newaxis]
    whole: NDArray[np.uint16] = np.rint(values * np.float32(_MOST)).astype(np.uint16)
    return whole
