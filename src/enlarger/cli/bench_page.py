"""A page to measure with: drawn by code, as full of lines, screentone and grain as a scanned one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures import Metadata, Picture

PAGE_PX = (1400, 2000)  # a scan as readers have it: width, height
_TONE_PITCH_PX = 6
_HATCH_PITCH_PX = 9


def region(width: int, height: int) -> Picture:
    """The middle of the page, `width` x `height` pixels, grey."""
    page = _page()
    left, top = (PAGE_PX[0] - width) // 2, (PAGE_PX[1] - height) // 2
    pixels = np.ascontiguousarray(page[top : top + height, left : left + width, np.newaxis])
    return Picture(pixels, None, Metadata(), "png")


def _page() -> NDArray[np.uint8]:
    width, height = PAGE_PX
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    paper = 235 + 12 * np.sin(x / 97) * np.cos(y / 131)
    drawn = np.where(_tone(x, y), 60, paper)
    drawn = np.where(_hatching(x, y), 30, drawn)
    drawn = np.where(_outlines(x, y), 8, drawn)
    grain = np.random.default_rng(20).normal(0, 4, drawn.shape)
    return np.clip(drawn + grain, 0, 255).astype(np.uint8)


def _tone(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Dots on a slanted grid, larger where it is darker."""
    u, v = (x + y) % _TONE_PITCH_PX - _TONE_PITCH_PX / 2, (x - y) % _TONE_PITCH_PX - _TONE_PITCH_PX / 2
    darkness = 0.5 + 0.5 * np.sin(x / 210 + y / 170)
    return np.asarray(u * u + v * v < 6 * darkness)


def _hatching(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.bool_]:
    inside = np.sin(x / 150) * np.sin(y / 190) > 0.35
    return np.asarray(inside & ((x * 0.7 + y) % _HATCH_PITCH_PX < 2))


def _outlines(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Curved strokes of changing width, and the frames of panels."""
    curve = np.abs(np.sin(x / 83 + 2 * np.sin(y / 140)) * 83 - (y % 166 - 83))
    frame = (x % 460 < 5) | (y % 640 < 5)
    return np.asarray((curve < 2 + 1.5 * np.sin(y / 60)) | frame)
