"""TIFF in the many ways it is written, and as Enlarger writes it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from foreign_files import tiff
from picture_making import XMP, cmyk_profile, deep_noise, exif_of, image_of, noise, rgb_profile, scene
from PIL import ExifTags, Image

from enlarger.errors import PictureError
from enlarger.pictures import Metadata, Picture, decode, encode
from enlarger.pictures.tiff_stream import TiffStream

TALL = noise(200, 90, 3)


@pytest.mark.parametrize(
    "how",
    [
        {"compression": None},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 16},
        {"compression": "packbits"},
        {"compression": "zstd"},
        {"tile": (64, 64), "compression": "zlib"},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"planarconfig": "separate"},
    ],
    ids=str,
)
@pytest.mark.parametrize("deep", [False, True])
def test_however_it_is_stored(how: dict[str, Any], deep: bool) -> None:
    samples = TALL.astype(np.uint16) * 257 + 3 if deep else TALL
    stored = np.moveaxis(samples, -1, 0) if how.get("planarconfig") else samples
    picture = decode(tiff(np.ascontiguousarray(stored), photometric="rgb", **how), name="x")
    assert np.array_equal(picture.pixels, samples)
    assert (picture.format, picture.bits, picture.notes) == ("tiff", 16 if deep else 8, ())


@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", None])
def test_two_levels_become_black_and_white(compression: str | None) -> None:
    dots = noise(20, 21, 1)[..., 0] > 128
    buffer = io.BytesIO()
    Image.fromarray(dots).save(buffer, "TIFF", compression=compression)
    assert np.array_equal(decode(buffer.getvalue(), name="x").pixels[..., 0], dots * np.uint8(255))


def test_where_white_is_zero_the_picture_is_no_negative() -> None:
    grey = scene(9, 9, 1)[..., 0]
    assert np.array_equal(decode(tiff(255 - grey, photometric="miniswhite"), name="x").pixels[..., 0], grey)


def test_palettes_are_looked_up() -> None:
    image = image_of(noise(9, 9, 3)).quantize(16)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    picture = decode(buffer.getvalue(), name="x")
    assert (picture.bits, picture.is_deep) == (8, False)
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_jpeg_inside_is_read() -> None:
    buffer = io.BytesIO()
    image_of(scene(40, 40, 3)).save(buffer, "TIFF", compression="jpeg", quality=95)
    assert np.abs(decode(buffer.getvalue(), name="x").pixels.astype(int) - scene(40, 40, 3)).max() < 12


@pytest.mark.parametrize(("kind", "expected"), [("unassalpha", 100), ("assocalpha", 200)])
def test_premultiplied_alpha_is_taken_out(kind: str, expected: int) -> None:
    pixels = np.full((4, 4, 4), 100, np.uint8)
    pixels[..., 3] = 128
    picture = decode(tiff(pixels, photometric="rgb", extrasamples=[kind]), name="x")
    assert picture.alpha is not None
    assert abs(int(picture.pixels[0, 0, 0]) - expected) <= 1


def test_samples_that_are_no_alpha_are_left_out() -> None:
    picture = decode(tiff(noise(4, 4, 4), photometric="rgb", extrasamples=["unspecified"]), name="x")
    assert picture.alpha is None


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("profile", [cmyk_profile(), None])
def test_cmyk_is_converted_at_its_own_depth_and_told(profile: bytes | None, deep: bool) -> None:
    inks = np.zeros((4, 4, 4), np.uint16 if deep else np.uint8)
    inks[..., 0] = np.iinfo(inks.dtype).max
    picture = decode(tiff(inks, photometric="separated", iccprofile=profile), name="x")
    assert picture.is_deep == deep
    assert picture.metadata.icc is None
    middle_grey = picture.pixels.astype(float) / np.iinfo(inks.dtype).max * 255
    assert np.allclose(middle_grey, 119 if profile else (0, 255, 255), atol=1)
    assert ["CMYK" in note.text("en") for note in picture.notes] == [True]


def test_further_pages_are_told() -> None:
    data = tiff(np.stack([scene(9, 9, 1)[..., 0]] * 3), photometric="minisblack", compression=None)
    picture = decode(data, name="x")
    assert ["Of 3 frames" in note.text("en") for note in picture.notes] == [True]


@pytest.mark.parametrize(
    ("samples", "how", "said"),
    [
        (np.zeros((4, 4), np.float32), {}, "32 bits"),
        (np.zeros((4, 4), np.uint32), {}, "32 bits"),
        (np.zeros((4, 4), np.int16), {}, "sample format"),
        (np.zeros((4, 4, 20), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}, "20 samples"),
        (np.zeros((4, 4, 3), np.uint8), {"photometric": "cielab"}, "colours of kind"),
    ],
)
def test_what_is_no_picture_for_people_is_refused_by_name(samples: np.ndarray, how: dict[str, Any], said: str) -> None:
    with pytest.raises(PictureError, match=said) as caught:
        decode(tiff(samples, **how), name="scan.tif")
    assert caught.value.message.text("en").startswith("scan.tif")


def test_a_strip_that_unpacks_to_more_than_it_holds_is_refused() -> None:
    data = tiff(np.zeros((2000, 2000), np.uint8), rowsperstrip=2000)
    stream = TiffStream(data)
    stream.put(stream.main, 257, 10)
    stream.put(stream.main, 278, 10)
    try:
        picture = decode(stream.data, name="x")
    except PictureError:
        return
    assert picture.pixels.shape == (10, 2000, 1)


# ---- as Enlarger writes it ----

EXIF = exif_of(order=">", Make="Camera", Model="M", DateTimeOriginal="2024:01:02 03:04:05")[6:]


@pytest.mark.parametrize("exif", [None, EXIF, exif_of(Make="Camera")[6:]])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("deep", [False, True])
def test_two_other_readers_see_the_same(exif: bytes | None, channels: int, deep: bool) -> None:
    samples = deep_noise(300, 41, channels) if deep else noise(300, 41, channels)
    colours = samples.shape[2] - 1 + samples.shape[2] % 2
    metadata = Metadata(exif=exif, xmp=XMP % 1, dpi=(300, 240), icc=rgb_profile() if colours == 3 else None)
    picture = Picture(samples[..., :colours], samples[..., colours] if channels % 2 == 0 else None, metadata, "png")
    data = encode(picture, format="tiff").data
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert np.array_equal(file.asarray().reshape(samples.shape), samples)
        assert len(file.pages) == 1
        assert file.pages.first.tags[700].value == XMP % 1
    if deep and channels == 2:
        return  # no mode of Pillow's
    image = Image.open(io.BytesIO(data))
    assert image.info["dpi"] == pytest.approx((300, 240), abs=0.01)
    assert image.getexif().get(ExifTags.Base.Make) == ("Camera" if exif else None)
    if not deep:
        assert np.array_equal(np.asarray(image).reshape(samples.shape), samples)


def test_no_byte_of_exif_moves() -> None:
    picture = Picture(noise(5, 5, 3), None, Metadata(exif=EXIF), "png")
    data = encode(picture, format="tiff").data
    assert data[8 : len(EXIF)] == EXIF[8:]
    nested = TiffStream(data).integer(TiffStream(data).main, 0x8769)
    assert nested == TiffStream(EXIF).integer(TiffStream(EXIF).main, 0x8769)


def test_beyond_four_gigabytes_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.pictures.codecs.tiff_writing._MOST_BYTES", 100)
    with pytest.raises(PictureError, match="4 GiB"):
        encode(Picture(noise(50, 50, 3), None, Metadata(), "png"), format="tiff")
