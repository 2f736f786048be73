"""Sixteen bits a channel: in, through what is done to pixels, and out."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from foreign_files import tiff, wide_profile
from hypothesis import given
from hypothesis import strategies as st
from picture_making import XMP, deep_noise, exif_of, grey_profile, noise, png_chunk, png_of, scene
from PIL import Image

from enlarger.pictures import FORMATS, Metadata, Picture, bleed, canvas, decode, encode
from enlarger.pictures.alpha import on_white
from enlarger.pictures.depth import at_8_bits, spread

CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}


def picture_of(samples: np.ndarray, **metadata: object) -> Picture:
    colours = samples.shape[2] - 1 + samples.shape[2] % 2
    alpha = samples[..., colours] if samples.shape[2] > colours else None
    return Picture(samples[..., :colours], alpha, Metadata(**metadata), "png", bits=16)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_every_value_of_every_kind_stays(kind: str, channels: int) -> None:
    samples = deep_noise(37, 29, channels)
    encoded = encode(picture_of(samples), format=kind)
    buffer = io.BytesIO(encoded.data)
    read = imagecodecs.png_decode(encoded.data) if kind == "png" else tifffile.imread(buffer)
    assert read.dtype == np.uint16
    assert np.array_equal(read.reshape(samples.shape), samples)
    again = decode(encoded.data, name="x")
    assert (again.bits, again.is_deep, encoded.notes, again.notes) == (16, True, (), ())
    assert np.array_equal(np.dstack([again.pixels, *([] if again.alpha is None else [again.alpha])]), samples)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_metadata_goes_with_them(kind: str) -> None:
    exif = exif_of(Make="Camera")[6:]
    encoded = encode(
        picture_of(deep_noise(9, 9, 3), exif=exif, xmp=XMP % 1, icc=wide_profile(), dpi=(300, 240)), format=kind
    )
    assert encoded.kept == ("dpi", "exif", "icc", "xmp")
    image = Image.open(io.BytesIO(encoded.data))
    assert image.info["icc_profile"] == wide_profile()
    assert image.info["dpi"] == pytest.approx((300, 240), abs=0.05)
    assert image.getexif()[0x010F] == "Camera"
    again = decode(encoded.data, name="x").metadata
    assert (again.icc, again.xmp) == (wide_profile(), XMP % 1)


def test_a_grey_profile_stays_with_deep_grey_and_an_rgb_one_makes_three_channels() -> None:
    grey = encode(picture_of(deep_noise(9, 9, 1), icc=grey_profile()), format="png")
    assert imagecodecs.png_decode(grey.data).ndim == 2
    three = encode(picture_of(deep_noise(9, 9, 1), icc=wide_profile()), format="png")
    assert imagecodecs.png_decode(three.data).shape == (9, 9, 3)
    assert decode(three.data, name="x").pixels.shape == (9, 9, 1)


def test_metadata_behind_the_pixels_of_a_deep_png_is_found() -> None:
    data = png_of(2, 1, 16, 0, b"\x12\x34\x56\x78")
    end = data.index(b"IEND") - 4
    late = png_chunk(b"eXIf", exif_of(Make="Camera", Orientation=6)[6:])
    picture = decode(data[:end] + late + data[end:], name="x")
    assert picture.pixels.shape == (2, 1, 1)
    assert picture.pixels.ravel().tolist() == [0x1234, 0x5678]
    assert b"Camera" in (picture.metadata.exif or b"")


@pytest.mark.parametrize("kind", [kind for kind, known in FORMATS.items() if known.bits == 8])
def test_formats_of_8_bits_round_and_say_so(kind: str) -> None:
    deep = np.repeat(np.repeat(scene(8, 8, 3), 4, axis=0), 4, axis=1).astype(np.uint16) * 257
    picture = picture_of(deep)
    encoded = encode(picture, format=kind, lossless=FORMATS[kind].lossless == "choice")
    assert "16 were rounded to 8" in " ".join(note.text("en") for note in encoded.notes)
    off = np.abs(decode(encoded.data, name="x").pixels.astype(int) - deep // 257).max()
    assert off <= (12 if kind in ("jpeg", "gif", "avif") else 0)


@pytest.mark.parametrize("channels", CHANNELS)
def test_heic_keeps_ten_bits(channels: int) -> None:
    samples = deep_noise(64, 48, channels)
    encoded = encode(picture_of(samples), format="heic", lossless=True)
    file = pillow_heif.open_heif(encoded.data, convert_hdr_to_8bit=False)
    assert file.info["bit_depth"] == 10
    again = decode(encoded.data, name="x")
    assert again.bits == 10
    assert np.abs(again.pixels.astype(int) - samples[..., : again.pixels.shape[2]]).max() <= 64


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 9, 10, 12, 14, 16])
def test_any_number_of_bits_fills_its_type(bits: int) -> None:
    values = spread(np.array([0, 2**bits - 1]), bits)
    assert values.tolist() == [0, 255 if bits <= 8 else 65535]


@given(st.integers(0, 65535))
def test_sixteen_bits_are_rounded_not_cut(value: int) -> None:
    assert at_8_bits(np.full((1, 2), value, np.uint16)).tolist() == [[round(value / 257)] * 2]


def test_a_constant_plane_stays_one() -> None:
    assert at_8_bits(np.broadcast_to(np.uint16(65535), (5, 4))).strides == (0, 0)


def test_colour_is_carried_under_transparency_as_with_8_bits() -> None:
    eight, alpha = noise(40, 30, 3), np.zeros((40, 30), np.uint8)
    alpha[10:20, 5:25] = 255
    wide = bleed(eight.astype(np.uint16) * 257, alpha.astype(np.uint16) * 257)
    assert wide.dtype == np.uint16
    assert np.abs(wide / 257 - bleed(eight, alpha)).max() < 1
    assert np.array_equal(wide[10:20, 5:25], eight[10:20, 5:25].astype(np.uint16) * 257)


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_white_shows_through_to_the_last_bit(colour: int, alpha: int) -> None:
    laid = on_white(np.full((1, 1, 3), colour, np.uint16), np.full((1, 1), alpha, np.uint16))
    assert laid[0, 0].tolist() == [(colour * alpha + 65535 * (65535 - alpha) + 32767) // 65535] * 3


def test_a_deep_canvas_is_one() -> None:
    pixels, alpha = canvas(3, 4, 3, alpha=True, deep=True)
    assert (pixels.shape, pixels.dtype, alpha is not None and alpha.dtype) == ((3, 4, 3), np.uint16, np.uint16)


def test_deep_colours_go_through_their_profile_where_a_format_holds_none() -> None:
    samples = np.repeat(scene(8, 8, 3).astype(np.uint16) * 257, 2, axis=0)
    eight = Picture(at_8_bits(samples), None, Metadata(icc=wide_profile()), "png")
    deep = picture_of(samples, icc=wide_profile())
    one, other = (decode(encode(p, format="bmp").data, name="x").pixels.astype(int) for p in (eight, deep))
    assert np.abs(one - other).max() <= 1
    assert np.abs(one - at_8_bits(samples)).max() > 5


def test_ten_bits_of_colour_by_number_are_told() -> None:
    plain = imagecodecs.avif_encode(deep_noise(8, 8, 3) >> 6, bitspersample=10, primaries=9, transfer=16)
    picture = decode(bytes(plain), name="x")
    assert (picture.bits, picture.format) == (10, "avif")
    assert ["primaries 9, transfer 16" in note.text("en") for note in picture.notes] == [True]


def test_ten_bits_of_an_animation_are_rounded_and_told() -> None:
    frames = np.stack([deep_noise(8, 8, 3, seed) >> 6 for seed in range(2)])
    picture = decode(bytes(imagecodecs.avif_encode(frames, bitspersample=10)), name="x")
    assert len(picture.frames) == 2
    assert ["10 bits a channel were brought to 8" in note.text("en") for note in picture.notes] == [True]


def test_twelve_bits_of_a_scanner_are_spread() -> None:
    samples = deep_noise(9, 8, 1)[..., 0] >> 4
    picture = decode(tiff(samples, bitspersample=12, compression=None), name="x")
    assert (picture.bits, picture.pixels.dtype) == (12, np.uint16)
    assert np.array_equal(picture.pixels[..., 0], np.rint(samples * (65535 / 4095)))
