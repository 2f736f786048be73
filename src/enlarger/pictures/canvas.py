"""Memory for an output, laid out so that the codecs can read it where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from enlarger.pictures.picture import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image


def canvas(
    height: int, width: int, channels: int, *, alpha: bool = False, deep: bool = False
) -> tuple[Pixels, Pixels | None]:
    """Uninitialised (H, W, channels) pixels and, if asked for, an (H, W) alpha plane; uint8, or uint16 if `deep`.

    Colour lies in four bytes a pixel, as inside Pillow, so that `encode` needs no second copy of the picture: at
    16000 x 12000 that is 0.6 GB less. Any other array can be encoded too.
    """
    if channels == 1 or deep:
        dtype = np.uint16 if deep else np.uint8
        return np.empty((height, width, channels), dtype), np.empty((height, width), dtype) if alpha else None
    memory = np.empty((height, width, 4), np.uint8)
    return memory[..., :channels], memory[..., 3] if alpha else None


def colour_image(pixels: Pixels, alpha: Pixels | None) -> Image:
    """(H, W, 3) pixels and (H, W) alpha as an RGB, RGBX or RGBA image; RGBX and RGBA share a canvas's memory."""
    from PIL import Image

    memory = _shared_memory(pixels, alpha)
    if memory is not None:
        mode = "RGBX" if alpha is None else "RGBA"
        return Image.frombuffer(mode, (memory.shape[1], memory.shape[0]), memory, "raw", mode, 0, 1)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if alpha is not None:
        image.putalpha(grey_image(alpha))
    return image


def grey_image(plane: Pixels) -> Image:
    """(H, W) as an L image that shares its memory."""
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(plane))


def _shared_memory(pixels: Pixels, alpha: Pixels | None) -> Pixels | None:
    memory = pixels.base
    if not isinstance(memory, np.ndarray) or memory.shape != (*pixels.shape[:2], 4) or memory.dtype != np.uint8:
        return None
    ours = (
        memory.flags.c_contiguous and _same(pixels, memory[..., :3]) and (alpha is None or _same(alpha, memory[..., 3]))
    )
    return memory if ours else None


def _same(one: Pixels, other: Pixels) -> bool:
    return one.__array_interface__["data"] == other.__array_interface__["data"] and one.strides == other.strides
