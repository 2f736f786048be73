"""Pillow's images taken over into arrays, band by band, whatever mode they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from enlarger.pictures.picture import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

BandReader = Callable[["Image"], Pixels]  # a band of the image → (h, W, 1 to 4) uint8

_BAND_PIXELS = 1 << 18  # stays in the processor's cache; measured best of 2^16 … 2^22


def band_reader(image: Image, *, depth: int) -> BandReader:
    """How bands of `image` become grey, grey and alpha, RGB, or RGBA; `depth` is the file's bits a sample.

    A colour that stands for transparency (PNG's tRNS) becomes alpha. CMYK is not handled here.
    """
    transparent = image.info.get("transparency")
    if image.mode in ("P", "PA"):
        target = "RGB" if transparent is None and image.mode == "P" else "RGBA"
        return lambda band: np.asarray(band.convert(target))
    if image.mode.startswith("I"):
        return lambda band: _deep_grey(np.asarray(band), transparent)
    if transparent is not None and image.mode in ("1", "L", "RGB"):
        key = _key_at_8_bits(transparent, image.mode, depth)
        return lambda band: _keyed(_array(band), key)
    return _array


def read_planes(image: Image, read_band: BandReader) -> tuple[Pixels, Pixels | None]:
    """The loaded image as (H, W, 1 or 3) colours and (H, W) alpha.

    Band by band, because one large `tobytes` holds the picture three times.
    """
    pixels = alpha = None
    for top, bottom, band in _bands(image):
        part = read_band(band)
        colours = part.shape[2] - 1 + part.shape[2] % 2
        if pixels is None:
            pixels = np.empty((image.height, image.width, colours), np.uint8)
            alpha = np.empty(pixels.shape[:2], np.uint8) if part.shape[2] > colours else None
        pixels[top:bottom] = part[..., :colours]
        if alpha is not None:
            alpha[top:bottom] = part[..., colours]
    assert pixels is not None  # Pillow refuses pictures without rows
    return pixels, None if alpha is None else constant_if_constant(alpha)


def grey_if_grey(pixels: Pixels, *, through_yuv: bool) -> Pixels:
    """(H, W, 3) with R = G = B in every pixel → (H, W, 1); anything else unchanged.

    `through_yuv`: the picture comes from lossy WebP, whose decoder gives a grey pixel (U = V = 128) equal red and blue
    but a green that may be one off (RFC 6386's coefficients, rounded), so that much is still grey.
    """
    if pixels.shape[2] == 1 or not _is_grey(pixels[::16, ::16], through_yuv):
        return pixels
    rows = max(1, _BAND_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        if not _is_grey(pixels[top : top + rows], through_yuv):
            return pixels
    return np.ascontiguousarray(pixels[..., :1])


def _is_grey(pixels: Pixels, through_yuv: bool) -> bool:
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if not np.array_equal(red, blue):
        return False
    if not through_yuv:
        return np.array_equal(red, green)
    return bool((np.maximum(red, green) - np.minimum(red, green) <= 1).all())


def _bands(image: Image) -> Iterator[tuple[int, int, Image]]:
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, bottom, image.crop((0, top, image.width, bottom))


def _array(band: Image) -> Pixels:
    if band.mode not in ("L", "LA", "RGB", "RGBA"):
        band = band.convert("L" if band.mode == "1" else "RGB")
    array = np.asarray(band)
    return array if array.ndim == 3 else array[..., None]


def _deep_grey(samples: NDArray[np.integer[Any]], transparent: object) -> Pixels:
    grey: Pixels = ((np.clip(samples, 0, 65535).astype(np.uint32) + 128) // 257).astype(np.uint8)  # 65535 / 255 = 257
    if transparent is None:
        return grey[..., None]
    return np.dstack((grey, np.where(samples == transparent, np.uint8(0), np.uint8(255))))


def _key_at_8_bits(transparent: int | tuple[int, ...], mode: str, depth: int) -> tuple[int, ...]:
    """PNG gives the key at the file's depth; Pillow gives pixels at 8 bits (and a two-level key already so)."""
    key = transparent if isinstance(transparent, tuple) else (transparent,)
    if mode == "1" or depth == 8:
        return key
    return tuple(value >> 8 if depth == 16 else value * 255 // (2**depth - 1) for value in key)


def _keyed(colours: Pixels, key: tuple[int, ...]) -> Pixels:
    alpha = np.where((colours == key).all(axis=2), np.uint8(0), np.uint8(255))
    return np.dstack((colours, alpha))


def constant_if_constant(alpha: Pixels) -> Pixels:
    """A plane of one value as that value alone, with strides 0; anything else unchanged."""
    if alpha.min() != alpha.max():
        return alpha
    return np.broadcast_to(alpha.flat[0], alpha.shape)
