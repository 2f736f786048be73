"""What metadata says of pixels is made true: sizes in EXIF and XMP, and the thumbnail."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from picture_making import exif_of, noise, scene
from PIL import Image

from enlarger.pictures import Metadata, Picture, decode, encode, exif, xmp
from enlarger.pictures.thumbnail import thumbnail_of
from enlarger.pictures.tiff_stream import EMPTY, LONG, SHORT, Entry, TiffStream

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:ImageWidth="32" tiff:ImageLength="24"'
    b' exif:PixelXDimension="32"><exif:PixelYDimension>24</exif:PixelYDimension>'
    b"<xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"<crs:CropWidth>32</crs:CropWidth></rdf:Description></x:xmpmeta>"
)


def with_thumbnail(jpeg: bytes, *, compression: int = 6) -> bytes:
    """Camera's EXIF with a second directory, as EXIF 2.32, 4.8 has it."""
    stream = TiffStream(exif_of(Make="Camera")[6:])
    nested = TiffStream(EMPTY)
    at = stream.append(jpeg)
    nested.rewrite_main(
        [
            Entry(0x0103, SHORT, 1, nested.pack("H", compression)),
            Entry(0x0201, LONG, 1, nested.pack("I", at)),
            Entry(0x0202, LONG, 1, nested.pack("I", len(jpeg))),
        ]
    )
    directory = stream.append(nested.data[nested.main :])
    data = bytearray(stream.data)
    count = int.from_bytes(data[8:10], "little")
    data[10 + 12 * count : 14 + 12 * count] = directory.to_bytes(4, "little")
    return bytes(data)


def jpeg_of(pixels: np.ndarray, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def shown(block: bytes) -> np.ndarray | None:
    """The thumbnail, found by hand: the directory after the first says where it is and how long."""
    first = int.from_bytes(block[4:8], "little")
    count = int.from_bytes(block[first : first + 2], "little")
    second = int.from_bytes(block[first + 2 + 12 * count :][:4], "little")
    if not second:
        return None
    held = int.from_bytes(block[second : second + 2], "little")
    entries = [block[second + 2 + 12 * index :][:12] for index in range(held)]
    values = {int.from_bytes(entry[:2], "little"): int.from_bytes(entry[8:12], "little") for entry in entries}
    start = values[0x0201]
    return np.asarray(Image.open(io.BytesIO(block[start : start + values[0x0202]])).convert("RGB"))


@pytest.mark.parametrize("old", [noise(120, 160, 3), noise(4, 4, 3)], ids=["larger", "smaller"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_thumbnail_shows_the_new_pixels(old: np.ndarray, kind: str) -> None:
    block = with_thumbnail(jpeg_of(old))
    assert shown(block) is not None
    picture = Picture(scene(300, 400, 3), None, Metadata(exif=block), "jpeg")
    written = decode(encode(picture, format=kind).data, name="x").metadata.exif
    assert written is not None
    thumbnail = shown(written)
    assert thumbnail is not None
    assert thumbnail.shape == (120, 160, 3)
    reduced = np.asarray(Image.fromarray(scene(300, 400, 3)).resize((160, 120), Image.Resampling.BOX))
    assert np.abs(thumbnail.astype(int) - reduced).mean() < 3
    assert jpeg_of(old)[-30:] not in written, "the old one may show what was cut off since"
    assert b"Camera" in written


def test_a_thumbnail_of_another_kind_goes() -> None:
    block = exif.with_thumbnail(with_thumbnail(jpeg_of(noise(9, 9, 3)), compression=1), jpeg_of(noise(9, 9, 3)))
    assert shown(block) is None
    assert not exif.has_thumbnail(block)


@pytest.mark.parametrize("at", [0, 8, 2**31])
def test_a_thumbnail_that_lies_about_its_place_harms_nothing(at: int) -> None:
    block = bytearray(with_thumbnail(jpeg_of(noise(9, 9, 3))))
    entry = block.index(b"\x01\x02\x04\0\x01\0\0\0")
    block[entry + 8 : entry + 12] = at.to_bytes(4, "little")
    cleaned = exif.with_thumbnail(bytes(block), jpeg_of(noise(9, 9, 3)))
    assert not exif.has_thumbnail(cleaned)
    assert exif_of(Make="Camera")[6:16] == cleaned[:10]


def test_a_picture_without_one_gets_none() -> None:
    block = exif_of(Make="Camera")[6:]
    picture = Picture(noise(9, 9, 3), None, Metadata(exif=block), "png")
    assert decode(encode(picture, format="png").data, name="x").metadata.exif == block


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_thumbnails_lie_on_white(channels: int, deep: bool) -> None:
    pixels = np.zeros((500, 900, channels), np.uint16 if deep else np.uint8)
    alpha = np.zeros((500, 900), pixels.dtype)
    small = Image.open(io.BytesIO(thumbnail_of(Picture(pixels, alpha, Metadata(), "png"))))
    assert small.size == (160, 89)
    assert np.asarray(small).min() > 250


def test_sizes_in_xmp_follow_and_its_thumbnails_go() -> None:
    made = xmp.resized(XMP, 64, 48)
    assert b'tiff:ImageWidth="64" tiff:ImageLength="48"' in made
    assert b'exif:PixelXDimension="64"><exif:PixelYDimension>48</exif:PixelYDimension>' in made
    assert b"Thumbnails" not in made
    assert b"<crs:CropWidth>32</crs:CropWidth>" in made
    picture = replace(decode(jpeg_of(scene(48, 64, 3)), name="x"), metadata=Metadata(xmp=XMP))
    assert decode(encode(picture, format="webp").data, name="x").metadata.xmp == made


def test_xmp_that_states_nothing_is_left_alone() -> None:
    for packet in (b"", b"<x/>", b"\xff\xfe garbage tiff:ImageWidth=32"):
        assert xmp.resized(packet, 1, 1) == packet
        assert xmp.made_upright(packet) == packet


def test_the_main_directory_s_own_sizes_follow() -> None:
    stream = TiffStream(EMPTY)
    stream.rewrite_main([Entry(256, LONG, 1, stream.pack("I", 32)), Entry(257, LONG, 1, stream.pack("I", 24))])
    made = TiffStream(exif.resized(stream.data, 70_000, 48))
    assert (made.integer(made.main, 256), made.integer(made.main, 257)) == (70_000, 48)
