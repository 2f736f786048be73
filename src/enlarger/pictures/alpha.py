"""Transparency: colour carried under it so that models see no fringe, and laid on white where it cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures.picture import Pixels

_BAND_PIXELS = 1 << 18  # bands of rows that stay in cache, so that nothing at full size is held as float
_Planes = NDArray[np.float32]  # (C, h, w): planes, because NumPy is slow where the innermost axis has three values


def bleed(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Carry the colour of visible pixels under the invisible ones (alpha 0), whose own colour is arbitrary.

    pixels (H, W, C), alpha (H, W), of one dtype → new (H, W, C), equal wherever alpha > 0. Each hidden pixel gets a
    mean of the visible ones near it, weighted by their alpha, smooth further out. Push-pull: Gortler et al., The
    Lumigraph, SIGGRAPH 1996, section 3.4; the cost is a few passes whatever the distance. The input itself is
    returned where nothing is hidden, or everything.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return pixels
    colours = _pull(_push(pixels, alpha))
    filled = np.array(pixels, order="C")
    for rows in _bands(pixels.shape):
        if hidden[rows].any():
            near = _rounded(_doubled_rows(colours, rows, alpha.shape), pixels.dtype)
            for channel, plane in enumerate(near):
                np.copyto(filled[rows, :, channel], plane, where=hidden[rows])
    return filled


def on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """(H, W, C) with (H, W) alpha laid on white, in the encoded values as browsers do; new, of the same dtype."""
    flat = np.empty(pixels.shape, pixels.dtype)
    most = int(np.iinfo(pixels.dtype).max)
    wide = np.uint16 if most == 255 else np.uint32  # 255 * 255 + 127 and 65535 * 65535 + 32767 just fit
    for rows in _bands(pixels.shape):
        weight: NDArray[Any] = alpha[rows][..., None].astype(wide)
        flat[rows] = (pixels[rows] * weight + most * (most - weight) + most // 2) // most
    return flat


def _bands(shape: tuple[int, ...]) -> Iterator[slice]:
    rows = max(2, _BAND_PIXELS // shape[1] // 2 * 2)  # even: the pyramid halves them
    return (slice(top, min(top + rows, shape[0])) for top in range(0, shape[0], rows))


def _push(pixels: Pixels, alpha: Pixels) -> list[_Planes]:
    """The pyramid of sums, from half size down to one pixel; full size is never held as float.

    Planes of each level: colours times their weights, then the weights.
    """
    half = [_halved(_weighted(pixels[rows], alpha[rows])) for rows in _bands(pixels.shape)]
    levels = [np.concatenate(half, axis=1)]
    while levels[-1].shape[1:] != (1, 1):
        levels.append(_halved(levels[-1]))
    return levels


def _weighted(pixels: Pixels, alpha: Pixels) -> _Planes:
    sums = np.empty((pixels.shape[2] + 1, *alpha.shape), np.float32)
    sums[-1] = alpha
    np.multiply(np.moveaxis(pixels, 2, 0), sums[-1], out=sums[:-1])
    return sums


def _halved(sums: _Planes) -> _Planes:
    """Sums over 2 x 2; an odd last row or column stands alone."""
    height, width = sums.shape[1:]
    if height % 2 or width % 2:
        sums = np.pad(sums, ((0, 0), (0, height % 2), (0, width % 2)))
    rows = sums[:, ::2] + sums[:, 1::2]
    return rows[..., ::2] + rows[..., 1::2]


def _pull(levels: list[_Planes]) -> _Planes:
    """Colours at the finest level: its own mean where it has any weight, else the coarser level's."""
    colours = _means(levels[-1])
    for sums in levels[-2::-1]:
        coarser = _doubled(colours, sums.shape[1:])
        colours = np.where(sums[-1] > 0, _means(sums), coarser)
    return colours


def _means(sums: _Planes) -> _Planes:
    means: _Planes = sums[:-1] / np.maximum(sums[-1], 1, dtype=np.float32)  # weights are whole numbers
    return means


def _doubled(colours: _Planes, shape: tuple[int, ...]) -> _Planes:
    """Twice the size, bilinear (3/4 and 1/4 of the two nearest), cut to `shape` = (height, width)."""
    for axis in (1, 2):
        colours = _doubled_down(colours.swapaxes(1, axis)).swapaxes(1, axis)
    return colours[:, : shape[0], : shape[1]]


def _doubled_down(colours: _Planes) -> _Planes:
    channels, height, width = colours.shape
    doubled = np.empty((channels, 2 * height, width), np.float32)
    own, quarters = colours * np.float32(0.75), colours * np.float32(0.25)
    np.add(own[:, 1:], quarters[:, :-1], out=doubled[:, 2::2])
    np.add(own[:, :-1], quarters[:, 1:], out=doubled[:, 1:-1:2])
    doubled[:, 0], doubled[:, -1] = colours[:, 0], colours[:, -1]
    return doubled


def _doubled_rows(colours: _Planes, rows: slice, shape: tuple[int, ...]) -> _Planes:
    """`_doubled`, of some even-based rows only: they need one coarse row more on either side."""
    first = max(rows.start // 2 - 1, 0)
    part = colours[:, first : (rows.stop + 1) // 2 + 1]
    skip = rows.start - 2 * first
    return _doubled(part, (skip + rows.stop - rows.start, shape[1]))[:, skip:]


def _rounded(colours: _Planes, dtype: np.dtype[Any]) -> Pixels:
    return np.clip(np.rint(colours), 0, np.iinfo(dtype).max).astype(dtype)
