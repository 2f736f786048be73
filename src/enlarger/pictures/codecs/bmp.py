"""Windows bitmaps, by Pillow."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING

from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.motion import images_of
from enlarger.pictures.codecs.still import still
from enlarger.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL.BmpImagePlugin import BmpImageFile


def _open(data: bytes) -> BmpImageFile:
    from PIL.BmpImagePlugin import BmpImageFile

    return BmpImageFile(io.BytesIO(data))


def _size(data: bytes) -> tuple[int, int]:
    with _open(data) as image:
        return image.size


def _read(data: bytes, reading: Reading) -> Picture:  # noqa: ARG001 - the seam's signature
    with closing(_open(data)) as image:
        return still(image, "bmp")


def _write(picture: Picture, manner: Manner) -> bytes:
    buffer = io.BytesIO()
    image = images_of(picture, manner)[0]
    dpi = {"dpi": picture.metadata.dpi} if picture.metadata.dpi else {}
    (image.convert("RGB") if image.mode == "RGBX" else image).save(buffer, "BMP", **dpi)
    return buffer.getvalue()


CODEC = Codec(_size, _read, _write)
