"""A small JPEG of a picture, for EXIF."""

from __future__ import annotations

import io

import numpy as np

from enlarger.pictures.alpha import on_white
from enlarger.pictures.depth import at_8_bits
from enlarger.pictures.picture import Picture, Pixels

_SIDE_PX = 160  # EXIF 2.32 knows 160 x 120
_QUALITY = 80


def thumbnail_of(picture: Picture) -> bytes:
    """At most 160 pixels a side, laid on white; in the picture's own colours, as cameras do it."""
    from PIL import Image

    step = max(1, max(picture.width, picture.height) // (4 * _SIDE_PX))  # enough for a smooth reduction
    pixels = _sampled(picture, step)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _sampled(picture: Picture, step: int) -> Pixels:
    pixels = at_8_bits(np.ascontiguousarray(picture.pixels[::step, ::step]))
    if picture.alpha is None:
        return pixels
    return on_white(pixels, at_8_bits(np.ascontiguousarray(picture.alpha[::step, ::step])))
