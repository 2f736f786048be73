"""JPEG, by libjpeg-turbo through Pillow."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING

from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.motion import images_of
from enlarger.pictures.codecs.still import stated_turn, still
from enlarger.pictures.metadata import save_options
from enlarger.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

_FULL_CHROMA_FROM = 90  # the quality from which sharp coloured edges are worth the bytes


def _open(data: bytes) -> JpegImageFile:
    from PIL.JpegImagePlugin import JpegImageFile

    return JpegImageFile(io.BytesIO(data))


def _size(data: bytes) -> tuple[int, int]:
    with _open(data) as image:
        return image.size


def _read(data: bytes, reading: Reading) -> Picture:  # noqa: ARG001 - the seam's signature
    with closing(_open(data)) as image:
        return still(image, "jpeg")


def _write(picture: Picture, manner: Manner) -> bytes:
    buffer = io.BytesIO()
    subsampling = "4:4:4" if manner.quality >= _FULL_CHROMA_FROM else "4:2:0"
    options = save_options(picture.metadata)
    images_of(picture, manner)[0].save(buffer, "JPEG", quality=manner.quality, subsampling=subsampling, **options)
    return buffer.getvalue()


CODEC = Codec(_size, _read, _write, lambda data: stated_turn(_open(data)))
