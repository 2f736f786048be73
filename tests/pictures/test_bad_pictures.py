"""Whatever is handed in, the answer is a picture or an error that names the file and a remedy."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_making import MODES_OF, file_of, noise, png_chunk, png_of, scene
from PIL import Image

from enlarger.errors import PictureError
from enlarger.pictures import decode, read_header

NAME = "vol 1/第3頁.jpg"


def refusal_of(data: bytes, **limits: float) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, name=NAME, **limits)
    assert caught.value.message.text("en").startswith(NAME)
    assert caught.value.remedy is not None
    return caught.value.text("en")


def png_header(width: int, height: int) -> bytes:
    return png_of(width, height, 8, 2, b"")


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(file_of(noise(8, 8, 3), "jpeg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_header(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("make", [png_header, jpeg_header, webp_header])
def test_a_huge_header_is_refused_before_memory_is_taken(make: object) -> None:
    data = make(60000, 60000)  # type: ignore[operator]
    assert len(data) < 1000
    refusal = refusal_of(data)
    assert "60000 x 60000 pixels are 3600.0 megapixels; the limit is 256." in refusal
    assert "ENLARGER_MAX_MEGAPIXELS" in refusal
    assert read_header(data, name=NAME).width == 60000


def test_the_limit_can_be_moved_and_holds_to_the_pixel() -> None:
    data = file_of(scene(100, 200, 3))
    assert decode(data, name=NAME, max_megapixels=0.02).width == 200
    assert "limit" in refusal_of(data, max_megapixels=0.019999)


@pytest.mark.parametrize("kind", MODES_OF)
def test_pillows_own_limit_does_not_interfere(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of(scene(300, 300, 3), kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    monkeypatch.setattr("enlarger.pictures.planes._BAND_PIXELS", 5_000)
    assert decode(data, name=NAME).width == 300
    assert Image.MAX_IMAGE_PIXELS == 20_000


def test_zero_bytes_are_called_so() -> None:
    assert "empty" in refusal_of(b"")


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>not found</html>", b"\0" * 100, b"\xff\xd8", b"RIFF\0\0\0\0WAVEfmt ", b"%"]
)
def test_what_is_no_picture_is_called_so(data: bytes) -> None:
    assert "not a picture" in refusal_of(data)


@pytest.mark.parametrize(("kind", "said"), [("PDF", "PDF"), ("JPEG2000", "JPEG 2000")])
def test_other_formats_are_named(kind: str, said: str) -> None:
    assert f"this is a {said} file" in refusal_of(file_of(Image.new("RGB", (8, 8)), kind))


@pytest.mark.parametrize("kind", MODES_OF)
def test_a_wrong_name_does_not_matter(kind: str) -> None:
    picture = decode(file_of(scene(9, 9, 3), kind), name="picture.txt")
    assert picture.format == kind
    assert not picture.notes


@cache
def _whole(kind: str, lossless: bool) -> bytes:
    options = {"lossless": lossless} if kind == "webp" else {"progressive": lossless} if kind == "jpeg" else {}
    return file_of(noise(60, 80, 3), kind, **options)


@pytest.mark.parametrize("kind", MODES_OF)
@pytest.mark.parametrize("lossless", [True, False])
@given(part=st.floats(0, 0.999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_truncated_file_is_refused_or_whole(kind: str, lossless: bool, part: float) -> None:
    data = _whole(kind, lossless)
    cut = data[: int(len(data) * part)]
    try:
        picture = decode(cut, name=NAME)
    except PictureError:
        refusal_of(cut)
    else:  # only what comes after the pixels is missing
        assert part > 0.98
        assert np.array_equal(picture.pixels, decode(data, name=NAME).pixels)


@pytest.mark.parametrize("kind", MODES_OF)
def test_half_a_file_is_refused_with_a_remedy(kind: str) -> None:
    data = file_of(noise(60, 80, 3), kind)
    assert "Copy or download the file again" in refusal_of(data[: len(data) // 2])


@pytest.mark.parametrize("kind", MODES_OF)
@given(changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_gives_a_picture_or_a_picture_error(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(file_of(noise(30, 40, 3), kind))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        picture = decode(bytes(data), name=NAME, max_megapixels=1)
    except PictureError:
        return
    assert picture.pixels.dtype == np.uint8


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "]))
def test_random_bytes_are_refused(data: bytes, magic: bytes) -> None:
    refusal_of(magic + data, max_megapixels=1)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_bomb_inside_a_chunk_is_refused(kind: bytes) -> None:
    bomb = png_chunk(kind, b"Comment\0\0" + zlib.compress(bytes(80 << 20), 9))
    assert "too large" in refusal_of(png_of(1, 1, 8, 0, b"\x80", bomb))


def test_pictures_without_pixels_are_refused() -> None:
    refusal_of(png_of(0, 5, 8, 0, b""))
    refusal_of(png_of(5, 0, 8, 0, b""))
