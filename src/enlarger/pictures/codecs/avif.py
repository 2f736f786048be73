"""AVIF, still and moving: 8 bits by libavif through Pillow, deeper stills read by imagecodecs."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from enlarger.pictures import boxes
from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.deep import deep_picture
from enlarger.pictures.codecs.libraries import imagecodecs
from enlarger.pictures.codecs.motion import frame_options, images_of, moving
from enlarger.pictures.codecs.still import stated_turn
from enlarger.pictures.depth import spread
from enlarger.pictures.metadata import metadata_of, save_options
from enlarger.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL.AvifImagePlugin import AvifImageFile

# 0.5 megapixels of a photograph at quality 90, one core: speed 8 1.1 s, 9 0.2 s, for 232 and 235 kB, both 39.4 dB.
_SPEED = 9
_FULL_CHROMA_FROM = 90


def _open(data: bytes) -> AvifImageFile:
    from PIL.AvifImagePlugin import AvifImageFile

    return AvifImageFile(io.BytesIO(data))


def _size(data: bytes) -> tuple[int, int]:
    with _open(data) as image:
        return image.size


def _read(data: bytes, reading: Reading) -> Picture:
    described = boxes.described(data)
    with closing(_open(data)) as image:
        if described.bits > 8 and getattr(image, "n_frames", 1) == 1:
            metadata, notes = metadata_of(image)
            samples = spread(imagecodecs().avif_decode(data, index=0), described.bits)
            picture = deep_picture(samples, metadata, "avif", described.bits, tuple(notes))
        else:
            picture = moving(image, "avif", reading, plays=0, depth=described.bits)
    return replace(picture, notes=(*picture.notes, *boxes.colours_not_kept(described, picture.metadata)))


def _write(picture: Picture, manner: Manner) -> bytes:
    buffer = io.BytesIO()
    images = images_of(picture, manner)
    options: dict[str, Any] = {**save_options(picture.metadata), **frame_options(picture, images), "speed": _SPEED}
    options.pop("dpi", None)  # EXIF says it
    options["quality"] = 100 if manner.lossless else manner.quality
    if images[0].mode not in ("L", "LA"):
        options["subsampling"] = "4:4:4" if manner.lossless or manner.quality >= _FULL_CHROMA_FROM else "4:2:0"
    images[0].save(buffer, "AVIF", **options)
    return buffer.getvalue()


CODEC = Codec(_size, _read, _write, lambda data: stated_turn(_open(data)))
