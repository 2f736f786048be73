"""JPEG XL, by libjxl: Pillow's plugin gives profile and metadata and writes 8 bits, imagecodecs reads more.

Neither writes a profile, and imagecodecs would call 16 bits linear light, which they are not.
"""

from __future__ import annotations

import io
from contextlib import closing
from typing import Any

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures import colour
from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.deep import deep_picture
from enlarger.pictures.codecs.jxl_header import JxlHeader, jxl_header
from enlarger.pictures.codecs.libraries import imagecodecs, pillow_jxl
from enlarger.pictures.codecs.motion import images_of
from enlarger.pictures.codecs.still import still
from enlarger.pictures.depth import spread
from enlarger.pictures.metadata import metadata_from, save_options
from enlarger.pictures.orientation import said_upright
from enlarger.pictures.picture import Metadata, Picture

_EFFORT = 4  # of 9
_OFFSET_BYTES = 4  # before the TIFF stream in an Exif box: where in what follows it starts


def _size(data: bytes) -> tuple[int, int]:
    header = jxl_header(data)
    return header.width, header.height


def _read(data: bytes, reading: Reading) -> Picture:
    header = jxl_header(data)
    is_jpeg, info, decoded, icc, boxes = _decoded(data)
    if is_jpeg:
        return _once_jpeg(decoded, reading)
    metadata = said_upright(_metadata(icc, boxes))
    notes = _notes(header)
    return deep_picture(_samples(data, header, info, decoded), metadata, "jxl", min(header.bits, 16), notes)


def _decoded(data: bytes) -> Any:
    try:
        return pillow_jxl().Decoder(num_threads=-1)(data)
    except RuntimeError as error:  # it says no more than to build it anew
        raise ValueError("libjxl cannot decode it") from error


def _once_jpeg(data: bytes, reading: Reading) -> Picture:
    """A JPEG that was packed without loss comes out as it went in, metadata and all."""
    from PIL.JpegImagePlugin import JpegImageFile

    with closing(JpegImageFile(io.BytesIO(data))) as image:
        reading.check(*image.size)
        return still(image, "jxl")


def _samples(data: bytes, header: JxlHeader, info: Any, decoded: bytes) -> Any:
    if header.bits <= 8 and not header.is_float and not header.animated:
        shape = (info.height, info.width, len(info.mode))
        return np.frombuffer(decoded, np.uint8).reshape(shape)
    samples = imagecodecs().jpegxl_decode(data, index=0 if header.animated else None)
    if samples.dtype.kind == "f":
        return np.rint(np.clip(samples, 0, 1) * 65535).astype(np.uint16)
    return spread(samples, 8 if samples.dtype == np.uint8 else min(max(header.bits, 9), 16))


def _metadata(icc: bytes | None, boxes: Any) -> Metadata:
    found = {bytes(box.box_type): bytes(box.data) for box in reversed(boxes)}
    exif = found.get(b"Exif", b"")
    if exif[:2] not in (b"II", b"MM"):
        exif = exif[_OFFSET_BYTES + int.from_bytes(exif[:_OFFSET_BYTES], "big") :]
    profile = None if icc is None or colour.is_srgb(icc) else icc  # libjxl makes one up for what was only numbers
    return metadata_from({"exif": exif, "xmp": found.get(b"xml "), "icc_profile": profile})


def _notes(header: JxlHeader) -> tuple[Message, ...]:
    notes = []
    if header.animated:
        notes.append(msg("This is an animation; its reader gives no timing, and only the first frame was kept."))
    if header.is_float or header.bits > 16:
        notes.append(msg("{depth} bits a channel were brought to 16.", depth=header.bits))
    return tuple(notes)


def _write(picture: Picture, manner: Manner) -> bytes:
    pillow_jxl()  # Pillow can save the format from now on
    buffer = io.BytesIO()
    image = images_of(picture, manner)[0]
    options = save_options(picture.metadata)
    options.pop("dpi", None)  # EXIF says it
    options |= {"lossless": True} if manner.lossless else {"quality": manner.quality}
    (image.convert("RGB") if image.mode == "RGBX" else image).save(buffer, "JXL", effort=_EFFORT, **options)
    return buffer.getvalue()


CODEC = Codec(_size, _read, _write, lambda data: jxl_header(data).turn)
