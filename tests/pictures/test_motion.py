"""Animations: every frame, its time, and how often all are shown, between the formats that move."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from foreign_files import DURATIONS_MS, animated, frames
from picture_making import XMP, exif_of, file_of, image_of, noise, scene
from PIL import Image

from enlarger.errors import PictureError
from enlarger.pictures import FORMATS, Animation, Frame, Metadata, Picture, decode, encode

MOVING = [kind for kind, known in FORMATS.items() if known.frames]


def picture_of(all_frames: list[Frame], plays: int = 0, metadata: Metadata | None = None) -> Picture:
    times = DURATIONS_MS[: len(all_frames)]
    first, *later = all_frames
    return Picture(
        first.pixels, first.alpha, metadata or Metadata(), "png", animation=Animation(tuple(later), times, plays)
    )


def moved() -> list[Frame]:
    return [Frame(pixels, None) for pixels in frames()]


def off(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("kind", MOVING)
def test_frames_and_times_of_other_writers_are_read(kind: str) -> None:
    picture = decode(animated(kind), name="x")
    assert picture.animation is not None
    assert (picture.animation.durations_ms, picture.animation.plays) == (DURATIONS_MS, 0)
    assert len(picture.frames) == 3
    limit = 12 if kind in ("gif", "avif") else 0
    assert all(off(frame.pixels, made) <= limit for frame, made in zip(picture.frames, frames(), strict=True))


@pytest.mark.parametrize("kind", MOVING)
def test_other_readers_see_what_is_written(kind: str) -> None:
    data = encode(picture_of(moved()), format=kind, lossless=True).data
    image = Image.open(io.BytesIO(data))
    assert image.n_frames == 3
    for index, (made, time) in enumerate(zip(frames(), DURATIONS_MS, strict=True)):
        image.seek(index)
        image.load()
        assert image.info["duration"] == time
        assert off(np.asarray(image.convert("RGB")), made) <= (40 if kind == "gif" else 4 if kind == "avif" else 0)


@pytest.mark.parametrize("plays", [0, 1, 2, 7])
@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
def test_how_often_it_is_shown_stays(kind: str, plays: int) -> None:
    again = decode(encode(picture_of(moved(), plays), format=kind).data, name="x")
    assert again.animation is not None
    assert again.animation.plays == plays


def test_avif_says_that_it_is_for_ever_now() -> None:
    assert "for ever" in encode(picture_of(moved(), 3), format="avif").notes[0].text("en")
    assert not encode(picture_of(moved()), format="avif").notes


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_metadata_goes_with_it(kind: str) -> None:
    metadata = Metadata(exif=exif_of(Make="Camera")[6:], xmp=XMP % 1)
    again = decode(encode(picture_of(moved(), metadata=metadata), format=kind).data, name="x")
    assert len(again.frames) == 3
    assert (again.metadata.exif, again.metadata.xmp) == (metadata.exif, metadata.xmp)


@pytest.mark.parametrize("kind", MOVING)
def test_transparency_of_each_frame_stays(kind: str) -> None:
    holes = []
    for index, pixels in enumerate(frames()):
        alpha = np.full(pixels.shape[:2], 255, np.uint8)
        alpha[:, 8 * index : 8 * index + 8] = 0
        holes.append(Frame(pixels, alpha))
    again = decode(encode(picture_of(holes), format=kind, lossless=True).data, name="x")
    for made, frame in zip(holes, again.frames, strict=True):
        assert made.alpha is not None
        assert frame.alpha is not None
        assert off(frame.alpha, made.alpha) <= 2


@pytest.mark.parametrize("kind", MOVING)
def test_grey_frames_stay_grey(kind: str) -> None:
    grey = [Frame(np.roll(scene(20, 30, 1), 3 * shift, axis=0), None) for shift in range(3)]
    again = decode(encode(picture_of(grey), format=kind, lossless=True).data, name="x")
    assert {frame.pixels.shape for frame in again.frames} == {(20, 30, 1)}
    assert off(again.frames[2].pixels, grey[2].pixels) <= 1


def test_one_coloured_frame_colours_all_and_one_transparent_one_gives_all_alpha() -> None:
    grey, coloured = image_of(np.repeat(scene(8, 8, 1), 3, axis=2)), image_of(noise(8, 8, 4))
    picture = decode(file_of(grey.convert("RGBA"), save_all=True, append_images=[coloured]), name="x")
    assert {frame.pixels.shape[2] for frame in picture.frames} == {3}
    assert picture.frames[0].alpha is not None
    assert (picture.frames[0].alpha == 255).all()


def test_a_picture_for_old_viewers_is_no_frame() -> None:
    images = [image_of(pixels) for pixels in frames()]
    data = file_of(image_of(noise(24, 32, 3)), save_all=True, append_images=images, default_image=True)
    picture = decode(data, name="x")
    assert len(picture.frames) == 3
    assert np.array_equal(picture.pixels, frames()[0])


def test_a_single_frame_is_a_still_picture() -> None:
    image = image_of(frames()[0]).quantize(256)
    assert decode(file_of(image, save_all=True, append_images=[]), name="x").animation is None


def test_every_frame_is_turned_upright() -> None:
    images = [image_of(pixels) for pixels in frames()]
    data = file_of(images[0], "webp", save_all=True, append_images=images[1:], exif=exif_of(Orientation=6))
    picture = decode(data, name="x")
    assert {frame.pixels.shape for frame in picture.frames} == {(32, 24, 3)}


def test_frames_as_deep_as_no_format_moves_are_rounded_and_told() -> None:
    deep = [Frame(frame.pixels.astype(np.uint16) * 257, None) for frame in moved()]
    encoded = encode(replace(picture_of(deep), bits=16), format="png")
    assert "16 were rounded to 8" in encoded.notes[0].text("en")
    assert len(decode(encoded.data, name="x").frames) == 3


def gif_bomb(count: int) -> bytes:
    images = [Image.new("P", (1000, 1000), index % 2) for index in range(2)]
    buffer = io.BytesIO()
    later = [images[(index + 1) % 2] for index in range(count - 1)]
    images[0].save(buffer, "GIF", save_all=True, append_images=later, optimize=False)
    return buffer.getvalue()


def test_many_frames_count_together_against_the_limit_before_one_is_decoded() -> None:
    bomb = gif_bomb(50)
    with pytest.raises(PictureError, match=r"50 frames of 1000 x 1000 pixels are 50\.0 megapixels; the limit is 40"):
        decode(bomb, name="bomb.gif", max_megapixels=40)
    assert decode(bomb, name="x", max_megapixels=40, animated=False).animation is None


def test_a_number_of_frames_that_is_a_lie_is_refused() -> None:
    data = bytearray(animated("png"))
    at = data.index(b"acTL")
    data[at + 4 : at + 8] = struct.pack(">I", 2**31 - 1)
    data[at + 12 : at + 16] = struct.pack(">I", zlib.crc32(bytes(data[at : at + 12])))
    with pytest.raises(PictureError, match="2147483647 frames"):
        decode(bytes(data), name="x")


@pytest.mark.parametrize("kind", MOVING)
def test_half_an_animation_is_refused(kind: str) -> None:
    data = encode(picture_of([Frame(noise(60, 60, 3, seed), None) for seed in range(3)]), format=kind).data
    with pytest.raises(PictureError, match="Copy or download"):
        decode(data[: len(data) * 2 // 3], name="x")
