"""GIF, still and moving, by Pillow: 256 colours a frame, one of them transparent."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.motion import frame_options, image_of, moving
from enlarger.pictures.codecs.still import stated_turn
from enlarger.pictures.picture import Frame, Picture

if TYPE_CHECKING:
    from PIL.GifImagePlugin import GifImageFile
    from PIL.Image import Image

_COLOURS = 256
_VISIBLE_FROM = 128  # of 255


def _open(data: bytes) -> GifImageFile:
    from PIL.GifImagePlugin import GifImageFile

    return GifImageFile(io.BytesIO(data))


def _size(data: bytes) -> tuple[int, int]:
    with _open(data) as image:
        return image.size


def _read(data: bytes, reading: Reading) -> Picture:
    with closing(_open(data)) as image:
        repeats = image.info.get("loop")  # none: shown once; else 0 for ever, n: n times more
        return moving(image, "gif", reading, plays=1 if repeats is None else repeats and repeats + 1)


def _write(picture: Picture, manner: Manner) -> bytes:  # noqa: ARG001 - the seam's signature
    buffer = io.BytesIO()
    has_alpha = picture.alpha is not None
    images = [_palette_image(frame, has_alpha=has_alpha) for frame in picture.frames]
    options: dict[str, Any] = {"optimize": False, **frame_options(picture, images)}
    if has_alpha:
        options |= {"transparency": _COLOURS - 1, "disposal": 2}
    if picture.animation is not None and picture.animation.plays != 1:
        options["loop"] = max(picture.animation.plays - 1, 0)
    images[0].save(buffer, "GIF", **options)
    return buffer.getvalue()


def _palette_image(frame: Frame, *, has_alpha: bool) -> Image:
    """The frame in its best 256 colours, dithered; the last one stands for transparency where there is any."""
    from PIL import Image

    image = image_of(Frame(frame.pixels, None))
    colours = _COLOURS - has_alpha
    image = (image if image.mode == "L" else image.convert("RGB")).quantize(colours, dither=Image.Dither.FLOYDSTEINBERG)
    if frame.alpha is None:
        return image
    hidden = Image.fromarray(np.where(frame.alpha < _VISIBLE_FROM, np.uint8(255), np.uint8(0)))
    image.paste(_COLOURS - 1, mask=hidden)
    return image


CODEC = Codec(_size, _read, _write, lambda data: stated_turn(_open(data)))
