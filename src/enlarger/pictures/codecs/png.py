"""PNG and APNG: 8 bits a channel by Pillow, 16 by libpng through imagecodecs, which leaves the metadata to us."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from enlarger.messages import Message
from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.deep import deep_picture, interleaved
from enlarger.pictures.codecs.libraries import imagecodecs
from enlarger.pictures.codecs.motion import frame_options, images_of, moving
from enlarger.pictures.metadata import metadata_of, save_options
from enlarger.pictures.orientation import orientation_of
from enlarger.pictures.picture import Metadata, Picture

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngImageFile

# An 11-megapixel page as grey: level 1 0.35 s, 3 0.46 s, 6 0.75 s, for 3931, 3818 and 3692 kB.
_LEVEL = 1
_SIGNATURE_BYTES = 8
_IHDR_BYTES = 25  # with its length, kind and checksum
_METRES_AN_INCH = 0.0254
_OF_THE_PIXELS = {b"IDAT", b"PLTE", b"tRNS", b"sBIT", b"bKGD", b"hIST", b"acTL", b"fcTL", b"fdAT"}


def _open(data: bytes) -> PngImageFile:
    from PIL.PngImagePlugin import PngImageFile

    return PngImageFile(io.BytesIO(data))


def _size(data: bytes) -> tuple[int, int]:
    with _open(data) as image:
        return image.size


def _read(data: bytes, reading: Reading) -> Picture:
    depth = data[24] if data[12:16] == b"IHDR" else 8
    with closing(_open(data)) as image:
        if depth == 16 and not getattr(image, "is_animated", False):
            return _read_deep(data)
        plays, first = int(image.info.get("loop", 0)), int(bool(image.info.get("default_image")))
        return moving(image, "png", reading, plays=plays, first=first, depth=depth)


def _read_deep(data: bytes) -> Picture:
    samples = imagecodecs().png_decode(data)
    metadata, notes = _metadata(data)
    return deep_picture(samples, metadata, "png", 16, tuple(notes))


def _turn(data: bytes) -> int:
    return orientation_of(_metadata(data)[0])


def _metadata(data: bytes) -> tuple[Metadata, list[Message]]:
    with closing(_open(_hollow(data))) as image:
        image.load()  # what comes after the pixels is read now
        return metadata_of(image)


def _hollow(data: bytes) -> bytes:
    """The same file with one grey pixel: Pillow reads its metadata without decoding the picture a second time."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = _chunk(b"IDAT", zlib.compress(b"\0\0"))
    kept = [data[start:end] for kind, start, end in _chunks(data) if kind not in _OF_THE_PIXELS]
    return data[:_SIGNATURE_BYTES] + header + pixel + b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of every whole chunk after IHDR."""
    at = _SIGNATURE_BYTES + _IHDR_BYTES
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at, end
        at = end


def _write(picture: Picture, manner: Manner) -> bytes:
    if picture.is_deep:
        return _write_deep(picture, manner)
    buffer = io.BytesIO()
    images = [image.convert("RGB") if image.mode == "RGBX" else image for image in images_of(picture, manner)]
    options: dict[str, Any] = {**save_options(picture.metadata), **frame_options(picture, images)}
    if "xmp" in options:
        options["pnginfo"] = _xmp_chunk(options.pop("xmp"))
    if picture.animation is not None:
        options["loop"] = picture.animation.plays
    images[0].save(buffer, "PNG", compress_level=_LEVEL, **options)
    return buffer.getvalue()


def _write_deep(picture: Picture, manner: Manner) -> bytes:
    samples = interleaved(picture, as_rgb=manner.as_rgb)
    plain = bytes(imagecodecs().png_encode(samples, level=_LEVEL))
    after_header = _SIGNATURE_BYTES + _IHDR_BYTES
    return plain[:after_header] + _metadata_chunks(picture.metadata) + plain[after_header:]


def _metadata_chunks(metadata: Metadata) -> bytes:
    chunks = []
    if metadata.icc:
        chunks.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        a_metre = [round(value / _METRES_AN_INCH) for value in metadata.dpi]
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *a_metre, 1)))
    if metadata.xmp:
        chunks.append(_chunk(b"iTXt", _XMP_KEYWORD + metadata.xmp))
    if metadata.exif:
        chunks.append(_chunk(b"eXIf", metadata.exif))
    return b"".join(chunks)


_XMP_KEYWORD = b"XML:com.adobe.xmp\0\0\0\0\0"  # XMP specification part 3, 1.1.5


def _xmp_chunk(xmp: bytes) -> Any:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add(b"iTXt", _XMP_KEYWORD + xmp)
    return chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


CODEC = Codec(_size, _read, _write, _turn)
