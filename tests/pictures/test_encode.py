"""Arrays into files: options, fallbacks, grey, alpha and profiles."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from picture_making import MODES_OF, array_of, file_of, grey_profile, noise, opened, rgb_profile, scene
from PIL import Image, JpegImagePlugin

from enlarger.errors import PictureError, RecipeError
from enlarger.pictures import (
    FORMATS,
    OUTPUT_SUFFIXES,
    Encoded,
    Metadata,
    Picture,
    decode,
    encode,
    format_named,
    spelled,
)


def picture_of(pixels: np.ndarray, alpha: np.ndarray | None = None, icc: bytes | None = None) -> Picture:
    return Picture(pixels, alpha, Metadata(icc=icc), "png")


def notes_of(encoded: Encoded) -> str:
    return " ".join(note.text("en") for note in encoded.notes)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = float(np.mean((one.astype(float) - other) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_all_formats_are_there() -> None:
    assert list(FORMATS) == ["jpeg", "png", "webp", "avif", "heic", "jxl", "tiff", "bmp", "gif"]
    assert [entry.suffix for entry in FORMATS.values()] == list(OUTPUT_SUFFIXES)
    assert OUTPUT_SUFFIXES == (".jpg", ".png", ".webp", ".avif", ".heic", ".jxl", ".tif", ".bmp", ".gif")


@pytest.mark.parametrize(
    ("suffix", "kind", "result"),
    [
        (".jpeg", "jpeg", ".jpeg"),
        (".TIFF", "tiff", ".TIFF"),
        (".apng", "png", ".apng"),
        (".jpeg", "png", ".png"),
        ("", "avif", ".avif"),
    ],
)
def test_a_sources_own_spelling_stays_where_it_says_the_same(suffix: str, kind: str, result: str) -> None:
    assert spelled(suffix, kind) == result


@pytest.mark.parametrize(
    ("said", "meant"), [("JPG", "jpeg"), ("tif", "tiff"), ("heif", "heic"), ("apng", "png"), ("x", "x")]
)
def test_formats_have_other_names(said: str, meant: str) -> None:
    assert format_named(said) == meant


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize(("kind", "lossless"), [("png", False), ("webp", True)])
def test_lossless_files_hold_every_value(kind: str, lossless: bool, channels: int, with_alpha: bool) -> None:
    pixels, alpha = noise(40, 30, channels), noise(40, 30, 1, seed=1)[..., 0] // 2
    encoded = encode(picture_of(pixels, alpha if with_alpha else None), format=kind, lossless=lossless)
    stored = array_of(encoded.data, "RGBA")
    assert np.array_equal(stored[..., :3], np.broadcast_to(pixels, (40, 30, 3)))
    assert np.array_equal(stored[..., 3], alpha if with_alpha else np.full((40, 30), 255))
    assert encoded.format == kind
    assert not encoded.notes


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossy_files_look_the_same(kind: str, channels: int) -> None:
    pixels = scene(100, 120, channels)
    stored = array_of(encode(picture_of(pixels), format=kind, quality=90).data, "RGB")
    assert psnr(stored, pixels) > 38


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_quality_is_size(kind: str) -> None:
    sizes = [len(encode(picture_of(noise(90, 90, 3)), format=kind, quality=q).data) for q in (1, 50, 95, 100)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(("quality", "sampling"), [(100, 0), (90, 0), (89, 2), (40, 2)])
def test_jpeg_keeps_full_chroma_at_high_quality(quality: int, sampling: int) -> None:
    image = opened(encode(picture_of(noise(32, 32, 3)), format="jpeg", quality=quality).data)
    assert JpegImagePlugin.get_sampling(image) == sampling
    assert not image.info.get("progressive")


@pytest.mark.parametrize(("kind", "mode"), [("jpeg", "L"), ("png", "L"), ("webp", "RGB")])
def test_grey_is_written_as_one_channel_where_there_is_one(kind: str, mode: str) -> None:
    encoded = encode(picture_of(noise(20, 20, 1)), format=kind)
    assert opened(encoded.data).mode == mode
    assert decode(encoded.data, name="x").pixels.shape[2] == 1


def test_grey_with_alpha_stays_two_channels() -> None:
    encoded = encode(picture_of(noise(9, 9, 1), noise(9, 9, 1)[..., 0]), format="png")
    assert opened(encoded.data).mode == "LA"


@pytest.mark.parametrize(("kind", "mode"), [("jpeg", "RGB"), ("png", "RGB"), ("webp", "RGB")])
def test_grey_under_an_rgb_profile_is_written_as_equal_channels(kind: str, mode: str) -> None:
    grey = np.repeat(scene(64, 64, 1), 3, axis=2)
    picture = decode(file_of(grey, icc_profile=rgb_profile()), name="x")
    assert picture.pixels.shape[2] == 1
    encoded = encode(picture, format=kind, lossless=kind == "webp")
    image = opened(encoded.data)
    assert image.mode == mode
    assert image.info["icc_profile"] == rgb_profile()
    stored = np.asarray(image)
    assert np.array_equal(stored[..., 0], stored[..., 1])
    assert np.array_equal(stored[..., 0], stored[..., 2])
    assert not encoded.notes


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_grey_profile_stays_with_grey(kind: str) -> None:
    image = opened(encode(picture_of(noise(9, 9, 1), icc=grey_profile()), format=kind).data)
    assert (image.mode, image.info["icc_profile"]) == ("L", grey_profile())


def test_a_grey_profile_in_webp_becomes_srgb_without_a_cast() -> None:
    linear = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    encoded = encode(picture_of(linear, icc=grey_profile(gamma=1.0)), format="webp", lossless=True)
    stored = opened(encoded.data)
    values = np.asarray(stored)
    light = linear[..., 0] / 255
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    assert "icc_profile" not in stored.info
    assert np.abs(values[..., 0] - expected).max() <= 1
    assert np.ptp(values, axis=2).max() == 0
    assert "to sRGB" in notes_of(encoded)


@pytest.mark.parametrize("profile", [grey_profile(), b"broken"])
def test_a_profile_that_does_not_fit_colour_is_dropped(profile: bytes) -> None:
    encoded = encode(picture_of(noise(9, 9, 3), icc=profile), format="png")
    assert "icc_profile" not in opened(encoded.data).info
    assert "did not fit" in notes_of(encoded)


def test_a_broken_grey_profile_is_dropped_in_webp() -> None:
    broken = grey_profile()[:140]
    encoded = encode(picture_of(noise(9, 9, 1), icc=broken), format="webp")
    assert "did not fit" in notes_of(encoded)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_lays_transparency_on_white_and_says_so(channels: int) -> None:
    pixels = np.full((32, 32, channels), 100, np.uint8)
    alpha = np.repeat(np.array([0, 128, 255, 255], np.uint8), 8)[None].repeat(32, axis=0)
    encoded = encode(picture_of(pixels, alpha), format="jpeg", quality=100)
    stored = array_of(encoded.data, "L").astype(int)
    assert np.abs(stored - np.repeat([255, 177, 100, 100], 8)).max() <= 2
    assert "white" in notes_of(encoded)


def test_opaque_alpha_is_kept_in_png_and_not_missed_in_jpeg() -> None:
    picture = picture_of(noise(9, 9, 3), np.broadcast_to(np.uint8(255), (9, 9)))
    assert opened(encode(picture, format="png").data).mode == "RGBA"
    assert not encode(picture, format="jpeg").notes


def test_colour_under_transparent_pixels_survives_lossless() -> None:
    pixels, alpha = noise(9, 9, 3), np.zeros((9, 9), np.uint8)
    for kind in ("png", "webp"):
        data = encode(picture_of(pixels, alpha), format=kind, lossless=True).data
        assert np.array_equal(array_of(data, "RGBA")[..., :3], pixels)


@pytest.mark.parametrize(
    ("side", "wanted", "options", "written"),
    [
        (16383, "webp", {}, "webp"),
        (16384, "webp", {}, "jpeg"),
        (16384, "webp", {"lossless": True}, "png"),
        (65500, "jpeg", {}, "jpeg"),
        (65501, "jpeg", {}, "png"),
        (65501, "webp", {}, "png"),
        (70000, "png", {}, "png"),
    ],
)
@pytest.mark.parametrize("upright", [True, False])
def test_what_a_format_cannot_hold_falls_back(
    side: int, wanted: str, options: dict[str, bool], written: str, upright: bool
) -> None:
    pixels = np.zeros((side, 1, 1) if upright else (1, side, 1), np.uint8)
    encoded = encode(picture_of(pixels), format=wanted, **options)
    assert encoded.format == written
    assert max(opened(encoded.data).size) == side
    assert (str(FORMATS[wanted].max_side_px) in notes_of(encoded)) == (wanted != written)


@pytest.mark.parametrize(("value", "written"), [(254, "png"), (255, "jpeg")])
@pytest.mark.parametrize("constant", [True, False])
def test_too_long_for_webp_keeps_transparency_if_there_is_any(value: int, written: str, constant: bool) -> None:
    alpha = np.broadcast_to(np.uint8(value), (1, 16384))
    pixels = np.zeros((1, 16384, 3), np.uint8)
    assert encode(picture_of(pixels, alpha if constant else alpha.copy()), format="webp").format == written


def test_lossless_jpeg_is_answered_honestly() -> None:
    assert "never lossless" in notes_of(encode(picture_of(noise(9, 9, 3)), format="jpeg", lossless=True))


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_impossible_quality_is_refused(quality: int) -> None:
    with pytest.raises(RecipeError, match="out of range"):
        encode(picture_of(noise(9, 9, 3)), format="jpeg", quality=quality)


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(RecipeError, match="xcf"):
        encode(picture_of(noise(9, 9, 3)), format="xcf")


@pytest.mark.parametrize("kind", MODES_OF)
def test_the_same_picture_gives_the_same_bytes_in_any_thread(kind: str) -> None:
    metadata = Metadata(icc=rgb_profile(), xmp=b"<x/>", dpi=(300, 300))
    picture = replace(picture_of(noise(90, 90, 3), noise(90, 90, 1)[..., 0]), metadata=metadata)
    expected = encode(picture, format=kind).data
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(encode(picture, format=kind).data)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results) == {expected}
    assert len(results) == 6


def test_encoding_changes_nothing_in_the_picture() -> None:
    pixels, alpha = noise(20, 20, 3), noise(20, 20, 1)[..., 0]
    before = pixels.copy(), alpha.copy()
    for kind in MODES_OF:
        encode(picture_of(pixels, alpha), format=kind)
    assert np.array_equal(pixels, before[0])
    assert np.array_equal(alpha, before[1])


def test_a_failing_codec_is_a_picture_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("encoder error -2")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(PictureError, match="written as PNG"):
        encode(picture_of(noise(9, 9, 3)), format="png")
