"""HEIC, by libheif: the decoder turns the picture upright itself, and gives 10 and 12 bits as 16."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures import boxes
from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.deep import deep_picture, interleaved
from enlarger.pictures.codecs.libraries import pillow_heif
from enlarger.pictures.metadata import EXIF_PREFIX, metadata_from
from enlarger.pictures.orientation import said_upright
from enlarger.pictures.picture import Picture

_FULL_CHROMA_FROM = 90
# 0.5 megapixels of a photograph at quality 90: x265's own preset 4.4 s for 489 kB and 47.7 dB, ultrafast 0.6 s for
# 589 kB and 49.1 dB.
_PRESET = {"preset": "ultrafast"}
_EXACT = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}  # RGB as it is: what makes x265's lossless lossless
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _open(data: bytes) -> Any:
    return pillow_heif().open_heif(data, convert_hdr_to_8bit=False)


def _size(data: bytes) -> tuple[int, int]:
    width, height = _open(data).size
    return width, height


def _read(data: bytes, reading: Reading) -> Picture:  # noqa: ARG001 - the seam's signature
    file = _open(data)
    image = file[file.primary_index]
    info = {key: image.info.get(key) for key in ("exif", "xmp", "icc_profile")}
    metadata = said_upright(metadata_from(info))
    samples = np.asarray(image)[:, : image.size[0]]
    bits = int(image.info["bit_depth"])
    picture = deep_picture(samples, metadata, "heic", bits, tuple(_left_behind(file, image)))
    lost = boxes.colours_not_kept(boxes.described(data), picture.metadata)
    return replace(picture, notes=(*picture.notes, *lost))


def _left_behind(file: Any, image: Any) -> list[Message]:
    notes = []
    if len(file) > 1:
        notes.append(msg("Of {count} pictures in the file only the main one was kept.", count=len(file)))
    if image.info.get("depth_images") or image.info.get("aux"):
        notes.append(msg("Further pictures in the file (a second view, a depth or gain map) were not kept."))
    return notes


def _write(picture: Picture, manner: Manner) -> bytes:
    buffer = io.BytesIO()
    samples = interleaved(picture, as_rgb=manner.as_rgb)
    mode = _MODES[samples.shape[2] if samples.ndim == 3 else 1] + (";16" if picture.is_deep else "")
    metadata = picture.metadata
    options: dict[str, Any] = {"exif": metadata.exif and EXIF_PREFIX + metadata.exif, "xmp": metadata.xmp}
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    options |= _EXACT if manner.lossless else _lossy(manner.quality)
    size = picture.width, picture.height
    pillow_heif().encode(mode, size, samples.tobytes(), buffer, enc_params=_PRESET, **options)
    return buffer.getvalue()


def _lossy(quality: int) -> dict[str, int]:
    return {"quality": quality, "chroma": 444 if quality >= _FULL_CHROMA_FROM else 420}


CODEC = Codec(_size, _read, _write)
