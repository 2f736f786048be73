"""EXIF patched in place: what is not meant stays byte for byte, and garbage stays garbage."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_making import exif_of
from PIL import ExifTags, Image, TiffImagePlugin

from enlarger.pictures import exif

RATIO = TiffImagePlugin.IFDRational


def parsed(block: bytes) -> Image.Exif:
    result = Image.Exif()
    result.load(b"Exif\0\0" + block)
    return result


@pytest.mark.parametrize("order", "<>")
def test_orientation_is_set_and_every_other_byte_kept(order: str) -> None:
    block = exif_of(order=order, Orientation=6, Make="Camera", Model="M")[6:]
    upright = exif.made_upright(block)
    assert block[:2] == {"<": b"II", ">": b"MM"}[order]
    assert exif.orientation(block) == 6
    assert exif.orientation(upright) == 1
    assert len(upright) == len(block)
    assert sum(one != other for one, other in zip(block, upright, strict=True)) == 1


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_invalid_orientations_say_nothing(value: int) -> None:
    assert exif.orientation(exif_of(Orientation=value)[6:]) is None
    assert exif.orientation(exif_of(Make="Camera")[6:]) is None


def test_a_thumbnail_of_a_turned_picture_is_no_longer_found() -> None:
    block = bytearray(exif_of(Orientation=6)[6:])
    count = int.from_bytes(block[8:10], "little")
    at = 10 + 12 * count
    block[at : at + 4] = len(block).to_bytes(4, "little")
    block += b"\0\0\0\0\0\0"
    upright = exif.made_upright(bytes(block))
    assert upright[at : at + 4] == bytes(4)


def _order_of_tags(block: bytes) -> list[int]:
    order: Literal["little", "big"] = "little" if block[:2] == b"II" else "big"
    at = int.from_bytes(block[4:8], order)
    count = int.from_bytes(block[at : at + 2], order)
    return [int.from_bytes(block[at + 2 + 12 * i :][:2], order) for i in range(count)]


@given(st.floats(1, 60000), st.floats(1, 60000))
def test_resolution_is_added_without_losing_anything(across: float, down: float) -> None:
    block = exif_of(Make="Camera", Software="S", Orientation=1, DateTimeOriginal="2024:01:02 03:04:05")[6:]
    for source in (block, exif_of(order=">", Make="Camera", XResolution=RATIO(72, 1))[6:], None):
        stated = exif.with_resolution(source, (across, down))
        assert exif.resolution(stated) == pytest.approx((across, down), rel=1e-4)
        tags = dict(parsed(stated))
        assert tags[ExifTags.Base.ResolutionUnit] == 2
        assert _order_of_tags(stated) == sorted(tags)
        before = dict(parsed(source)) if source else {}
        resolution = {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}
        assert {k: v for k, v in tags.items() if k not in resolution} == {
            k: v for k, v in before.items() if k not in resolution
        }
    dated = parsed(exif.with_resolution(block, (across, down))).get_ifd(ExifTags.IFD.Exif)
    assert dated[ExifTags.Base.DateTimeOriginal] == "2024:01:02 03:04:05"


@pytest.mark.parametrize("before", [100, 100_000])
@pytest.mark.parametrize("after", [200, 65535, 65536, 131072])
def test_dimensions_change_their_width_with_their_value(before: int, after: int) -> None:
    block = exif_of(ExifImageWidth=before, ExifImageHeight=before)[6:]
    tags = parsed(exif.resized(block, after, after + 1)).get_ifd(ExifTags.IFD.Exif)
    assert (tags[ExifTags.Base.ExifImageWidth], tags[ExifTags.Base.ExifImageHeight]) == (after, after + 1)


def test_absent_dimensions_are_not_added() -> None:
    block = exif_of(Make="Camera")[6:]
    assert exif.resized(block, 1, 1) == block


@given(st.binary(max_size=80), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff"]))
def test_garbage_never_raises(garbage: bytes, magic: bytes) -> None:
    block = magic + garbage
    exif.orientation(block)
    exif.resolution(block)
    assert len(exif.made_upright(block)) == len(block)
    assert len(exif.resized(block, 7, 7)) == len(block)
    assert exif.with_resolution(block, (72, 72)).startswith(block[:4])


def test_what_is_no_exif_is_left_alone() -> None:
    for block in (b"", b"garbage", b"II*\0"):
        assert exif.made_upright(block) == block
        assert exif.resized(block, 1, 1) == block
