"""WebP, still and moving, by libwebp through Pillow."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.motion import frame_options, images_of, moving
from enlarger.pictures.metadata import metadata_from, save_options
from enlarger.pictures.orientation import orientation_of
from enlarger.pictures.picture import Picture
from enlarger.pictures.seam import without_pillows_limit
from enlarger.pictures.webp import canvas_size, chunk, is_lossy

if TYPE_CHECKING:
    from PIL.WebPImagePlugin import WebPImageFile

# An 11-megapixel page of line art, one core: method 0 0.6 s, 2 0.8 s, 4 1.7 s, for 1490, 1296 and 1256 kB.
_METHOD = 2
# The same page: method 0 at effort 20 0.8 s, method 2 at effort 80 7.3 s, for 3693 and 3453 kB.
_LOSSLESS = {"lossless": True, "method": 0, "quality": 20, "exact": True}  # exact: colour under transparent pixels too


def _read(data: bytes, reading: Reading) -> Picture:
    with closing(_open(data)) as image:
        return moving(image, "webp", reading, plays=int(image.info.get("loop", 0)), through_yuv=is_lossy(data))


def _open(data: bytes) -> WebPImageFile:
    from PIL.WebPImagePlugin import WebPImageFile

    with without_pillows_limit():
        return WebPImageFile(io.BytesIO(data))


def _turn(data: bytes) -> int:
    return orientation_of(metadata_from({"exif": chunk(data, b"EXIF"), "xmp": chunk(data, b"XMP ")}))


def _write(picture: Picture, manner: Manner) -> bytes:
    buffer = io.BytesIO()
    images = images_of(picture, manner)
    options: dict[str, Any] = _LOSSLESS if manner.lossless else {"quality": manner.quality, "method": _METHOD}
    options = {**options, **save_options(picture.metadata), **frame_options(picture, images)}
    options.pop("dpi", None)  # EXIF says it
    if picture.animation is not None:
        options["loop"] = picture.animation.plays
    images[0].save(buffer, "WEBP", **options)
    return buffer.getvalue()


CODEC = Codec(canvas_size, _read, _write, _turn)
