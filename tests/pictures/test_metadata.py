"""EXIF, XMP, ICC and DPI through every pair of formats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from picture_making import MODES_OF, XMP, exif_of, file_of, noise, opened, png_chunk, png_of, rgb_profile, scene
from PIL import ExifTags

from enlarger.pictures import Metadata, Picture, decode, encode

PAIRS = [(came, mode, goes) for came in MODES_OF for mode in MODES_OF[came] for goes in MODES_OF]


def picture_with(metadata: Metadata, pixels: np.ndarray | None = None) -> Picture:
    return Picture(noise(9, 9, 3) if pixels is None else pixels, None, metadata, "png")


@pytest.mark.parametrize(("came", "mode", "goes"), PAIRS)
def test_all_metadata_survives(came: str, mode: str, goes: str) -> None:
    exif = exif_of(Make="Camera", Model="ß", DateTimeOriginal="2024:01:02 03:04:05")
    profile = {} if mode in ("L", "LA") else {"icc_profile": rgb_profile()}
    dpi = {} if came == "webp" else {"dpi": (300, 240)}
    data = file_of(scene(24, 32, len(mode)), came, exif=exif, xmp=XMP % 1, **profile, **dpi)
    picture = decode(data, name="x")
    encoded = encode(picture, format=goes)
    image = opened(encoded.data)
    assert image.getexif()[ExifTags.Base.Make] == "Camera"
    assert image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2024:01:02 03:04:05"
    assert image.info["xmp"] == XMP % 1
    assert image.info.get("icc_profile") == profile.get("icc_profile")
    again = decode(encoded.data, name="x").metadata
    assert again.xmp == picture.metadata.xmp
    assert again.icc == picture.metadata.icc
    if dpi:
        assert again.dpi == pytest.approx((300, 240), abs=0.01)
    if goes != "webp" or not dpi:
        assert again.exif == picture.metadata.exif
    assert not [note for note in encoded.notes if "white" not in note.text("en")]


@pytest.mark.parametrize(("came", "goes"), [(came, goes) for came in MODES_OF for goes in MODES_OF])
def test_what_is_kept_is_told(came: str, goes: str) -> None:
    dpi = {} if came == "webp" else {"dpi": (300, 240)}
    data = file_of(scene(9, 9, 3), came, exif=exif_of(Make="Camera"), xmp=XMP % 1, icc_profile=rgb_profile(), **dpi)
    picture = decode(data, name="x")
    assert picture.metadata.kinds == (*dpi, "exif", "icc", "xmp")
    encoded = encode(picture, format=goes)
    assert encoded.kept == picture.metadata.kinds == decode(encoded.data, name="x").metadata.kinds


def test_what_is_lost_is_not_told_as_kept() -> None:
    metadata = Metadata(exif=exif_of(Make="Camera")[6:], icc=b"no profile", xmp=bytes(70_000))
    encoded = encode(picture_with(metadata), format="jpeg")
    assert encoded.kept == ("exif",)
    assert len(encoded.notes) == 2


@pytest.mark.parametrize("kind", MODES_OF)
def test_nothing_is_invented(kind: str) -> None:
    metadata = decode(file_of(scene(9, 9, 3), kind), name="x").metadata
    assert metadata == Metadata()
    for goes in MODES_OF:
        again = decode(encode(picture_with(metadata), format=goes).data, name="x").metadata
        assert again == Metadata()


def test_exif_without_a_resolution_gives_none() -> None:
    plain = file_of(scene(9, 9, 3), "jpeg", exif=exif_of(Make="Camera"))
    assert decode(plain, name="x").metadata.dpi is None


@pytest.mark.parametrize("kind", MODES_OF)
def test_resolution_comes_from_exif_where_nothing_else_states_it(kind: str) -> None:
    exif = exif_of(XResolution=118.11, YResolution=118.11, ResolutionUnit=3)
    assert decode(file_of(scene(9, 9, 3), kind, exif=exif), name="x").metadata.dpi == pytest.approx(
        (300, 300), abs=0.01
    )


def test_webp_states_resolution_in_exif_beside_what_is_there() -> None:
    exif = exif_of(Make="Camera", XResolution=72.0, YResolution=72.0, ResolutionUnit=2)
    data = file_of(scene(9, 9, 3), "jpeg", dpi=(300, 300), exif=exif)
    kept = opened(encode(decode(data, name="x"), format="webp").data).getexif()
    assert float(kept[ExifTags.Base.XResolution]) == 300
    assert kept[ExifTags.Base.Make] == "Camera"


@pytest.mark.parametrize("kind", MODES_OF)
def test_stated_dimensions_follow_the_pixels(kind: str) -> None:
    exif = exif_of(ExifImageWidth=32, ExifImageHeight=24)
    picture = decode(file_of(scene(24, 32, 3), "jpeg", exif=exif), name="x")
    larger = replace(picture, pixels=scene(48, 64, 3))
    stated = opened(encode(larger, format=kind).data).getexif().get_ifd(ExifTags.IFD.Exif)
    assert (stated[ExifTags.Base.ExifImageWidth], stated[ExifTags.Base.ExifImageHeight]) == (64, 48)


@pytest.mark.parametrize("block", ["exif", "xmp"])
def test_what_is_too_large_for_jpeg_is_dropped_and_told(block: str) -> None:
    big = Metadata(**{block: b"II*\0" + bytes(70_000)})  # type: ignore[arg-type]
    encoded = encode(picture_with(big), format="jpeg")
    assert [block.upper() in note.text("en") for note in encoded.notes] == [True]
    assert decode(encoded.data, name="x").metadata == Metadata()
    for kind in ("png", "webp"):
        again = decode(encode(picture_with(big), format=kind).data, name="x").metadata
        assert getattr(again, block) == getattr(big, block)


def test_a_large_profile_spans_jpeg_segments() -> None:
    profile = rgb_profile() + bytes(200_000)
    encoded = encode(picture_with(Metadata(icc=profile)), format="jpeg")
    assert decode(encoded.data, name="x").metadata.icc == profile


@pytest.mark.parametrize("dpi", [(0, 0), (0.1, 300)])
def test_impossible_resolutions_are_not_taken(dpi: tuple[float, float]) -> None:
    assert decode(file_of(scene(9, 9, 3), dpi=dpi), name="x").metadata.dpi is None


def test_imagemagicks_exif_in_a_text_chunk_is_read() -> None:
    exif = exif_of(Make="Camera")
    text = f"\nexif\n{len(exif):8}\n" + "\n".join(exif.hex()[i : i + 72] for i in range(0, len(exif) * 2, 72)) + "\n"
    data = png_of(1, 1, 8, 0, b"\x80", png_chunk(b"tEXt", b"Raw profile type exif\0" + text.encode()))
    assert decode(data, name="x").metadata.exif == exif[6:]


def test_the_second_part_of_a_long_xmp_is_told() -> None:
    extension = b"http://ns.adobe.com/xmp/extension/\0" + bytes(50)
    segment = b"\xff\xe1" + (len(extension) + 2).to_bytes(2, "big") + extension
    data = file_of(scene(9, 9, 3), "jpeg")
    picture = decode(data[:2] + segment + data[2:], name="x")
    assert ["XMP" in note.text("en") for note in picture.notes] == [True]


def test_metadata_that_comes_after_the_pixels_is_found() -> None:
    data = png_of(1, 1, 8, 0, b"\x80")
    late = png_chunk(b"eXIf", exif_of(Make="Camera")[6:])
    end = data.index(b"IEND") - 4
    assert decode(data[:end] + late + data[end:], name="x").metadata.exif == exif_of(Make="Camera")[6:]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", [b"garbage", b"II*\0\x08\0\0\0\xff\xff", b"MM\0*\xff\xff\xff\xff"])
@pytest.mark.parametrize("kind", MODES_OF)
def test_broken_exif_is_kept_and_harms_nothing(kind: str, exif: bytes) -> None:
    picture = decode(file_of(scene(9, 9, 3), kind, exif=b"Exif\0\0" + exif), name="x")
    assert picture.metadata == Metadata(exif=exif)
    assert decode(encode(picture, format="jpeg").data, name="x").metadata.exif == exif
