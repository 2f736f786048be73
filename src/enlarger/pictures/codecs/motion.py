"""Animations through Pillow: its frames, already composed, into a Picture, and a Picture's into what it saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from enlarger.pictures.canvas import colour_image, grey_image
from enlarger.pictures.codecs.codec import Manner, Reading
from enlarger.pictures.codecs.still import still
from enlarger.pictures.metadata import only_the_first
from enlarger.pictures.picture import Animation, Frame, Picture, Pixels
from enlarger.pictures.planes import band_reader, grey_if_grey, read_planes

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile


def moving(
    image: ImageFile,
    kind: str,
    reading: Reading,
    *,
    plays: int,
    first: int = 0,
    depth: int = 8,
    through_yuv: bool = False,
) -> Picture:
    """A picture that may have further frames: all from `first` on, or the first alone and a note where that is wanted.

    The limit is checked for all frames before the first is decoded.
    """
    count = int(getattr(image, "n_frames", 1)) - first
    if count > 1 and reading.animated:
        reading.check(*image.size, count)
    image.seek(first)
    picture = still(image, kind, depth=depth, through_yuv=through_yuv)
    if count <= 1:
        return picture
    if not reading.animated:
        return replace(picture, notes=(*picture.notes, only_the_first(count)))
    shown_ms = _duration_ms(image)
    later, durations_ms = _later(image, range(first + 1, first + count))
    frames = _alike([picture.frames[0], *later], through_yuv=through_yuv)
    return replace(picture, animation=Animation((), (shown_ms, *durations_ms), plays)).with_frames(frames)


def _later(image: ImageFile, indices: Sequence[int]) -> tuple[list[Frame], list[int]]:
    size = image.size
    frames, durations_ms = [], []
    for index in indices:
        image.seek(index)
        if image.size != size:
            raise ValueError(f"frame {index} is larger than the picture")
        image.load()
        frames.append(Frame(*read_planes(image, band_reader(image, depth=8))))
        durations_ms.append(_duration_ms(image))
    return frames, durations_ms


def _duration_ms(image: ImageFile) -> int:
    return round(float(image.info.get("duration") or 0))


def _alike(frames: Sequence[Frame], *, through_yuv: bool) -> tuple[Frame, ...]:
    """All with alpha if one shows anything through, all grey if all are."""
    pixels = [grey_if_grey(frame.pixels, through_yuv=through_yuv) for frame in frames]
    grey = all(plane.shape[2] == 1 for plane in pixels)
    if not grey:
        pixels = [_coloured(frame.pixels) for frame in frames]
    transparent = any(frame.alpha is not None and frame.alpha.min() < _opaque(frame.pixels)[0, 0] for frame in frames)
    return tuple(
        Frame(plane, (_opaque(plane) if frame.alpha is None else frame.alpha) if transparent else None)
        for plane, frame in zip(pixels, frames, strict=True)
    )


def _coloured(pixels: Pixels) -> Pixels:
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def _opaque(pixels: Pixels) -> Pixels:
    return np.broadcast_to(pixels.dtype.type(np.iinfo(pixels.dtype).max), pixels.shape[:2])


def images_of(picture: Picture, manner: Manner) -> list[Image]:
    """Every frame as Pillow is to write it: L, LA, RGB, RGBX or RGBA, sharing the memory of the pixels if it can."""
    return [image_of(frame, as_rgb=manner.as_rgb) for frame in picture.frames]


def image_of(frame: Frame, *, as_rgb: bool = False) -> Image:
    """One frame so; `as_rgb`: grey as three equal channels."""
    from PIL import Image

    if frame.pixels.shape[2] == 3:
        return colour_image(frame.pixels, frame.alpha)
    grey = grey_image(frame.pixels[..., 0])
    bands = [grey, grey, grey] if as_rgb else [grey]
    if frame.alpha is not None:
        bands.append(grey_image(frame.alpha))
    return Image.merge({2: "LA", 3: "RGB", 4: "RGBA"}[len(bands)], bands) if len(bands) > 1 else grey


def frame_options(picture: Picture, images: Sequence[Image]) -> dict[str, object]:
    """Pillow's save options for all frames after the first; nothing for a still picture."""
    if picture.animation is None:
        return {}
    return {"save_all": True, "append_images": list(images[1:]), "duration": list(picture.animation.durations_ms)}
