"""Files into arrays: every mode, orientation, grey, depth, transparency, frames."""

from __future__ import annotations

import io
import struct
import threading

import imagecodecs
import numpy as np
import pytest
from foreign_files import MADE, with_orientation
from hypothesis import given
from hypothesis import strategies as st
from picture_making import (
    MODES_OF,
    XMP,
    array_of,
    cmyk_profile,
    deep_noise,
    exif_of,
    file_of,
    grey_profile,
    image_of,
    noise,
    opened,
    png_chunk,
    png_of,
    rgb_profile,
    scene,
)
from PIL import Image, ImageOps

from enlarger.pictures import FORMATS, Header, decode, is_on_its_side, read_header


def notes_of(data: bytes) -> str:
    return " ".join(note.text("en") for note in decode(data, name="x").notes)


@pytest.mark.parametrize("kind", MODES_OF)
def test_the_header_is_read_without_the_pixels(kind: str) -> None:
    data = file_of(noise(131, 147, 3), kind)
    assert read_header(data[: len(data) // 2], name="x") == Header(kind, 147, 131)


@pytest.mark.parametrize("options", [{"lossless": False}, {"lossless": True}, {"lossless": False, "exif": exif_of()}])
def test_all_three_webp_headers_give_the_size(options: dict[str, object]) -> None:
    assert read_header(file_of(scene(300, 5, 3), "webp", **options), name="x") == Header("webp", 5, 300)


@pytest.mark.parametrize("shape", [(20, 30), (700, 801), (3, 1)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_pixels_come_out_as_they_are(shape: tuple[int, int], channels: int) -> None:
    stored = noise(*shape, channels)
    picture = decode(file_of(stored), name="x")
    colours = channels - 1 + channels % 2
    assert picture.format == "png"
    assert np.array_equal(picture.pixels, stored[..., :colours])
    assert (picture.alpha is None) == (channels % 2 == 1)
    if picture.alpha is not None:
        assert np.array_equal(picture.alpha, stored[..., -1])
    assert picture.pixels.flags.c_contiguous
    assert not picture.notes


def test_jpeg_pixels_equal_pillows() -> None:
    data = file_of(scene(333, 1201, 3), "jpeg", quality=80)
    assert np.array_equal(decode(data, name="x").pixels, array_of(data, "RGB"))


def test_two_levels_become_grey() -> None:
    levels = noise(9, 21, 1)[..., 0] > 127
    assert np.array_equal(decode(file_of(Image.fromarray(levels)), name="x").pixels[..., 0], levels * np.uint8(255))


@pytest.mark.parametrize("transparency", [None, 2, bytes([0, 80, 255, 12])])
def test_palettes_become_colour_with_their_transparency(transparency: int | bytes | None) -> None:
    image = Image.fromarray(noise(16, 9, 1)[..., 0] % 4)
    image.putpalette([200, 10, 0, 0, 200, 10, 9, 8, 200, 90, 90, 90])
    options = {} if transparency is None else {"transparency": transparency}
    data = file_of(image, **options)
    picture = decode(data, name="x")
    expected = array_of(data, "RGBA")
    assert np.array_equal(picture.pixels, expected[..., :3])
    if transparency is None:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None
        assert np.array_equal(picture.alpha, expected[..., 3])


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_level_is_found_at_every_depth(depth: int) -> None:
    top = 2**depth - 1
    samples = [0, top, 1, top]
    rows = struct.pack(">4H", *samples) if depth == 16 else _packed(samples, depth)
    picture = decode(png_of(4, 1, depth, 0, rows, png_chunk(b"tRNS", struct.pack(">H", top))), name="x")
    assert picture.alpha is not None
    most = 65535 if depth == 16 else 255
    expected = [most, 0, 0, 0] if depth == 1 else [most, 0, most, 0]
    assert picture.alpha.tolist() == [expected]
    assert picture.pixels[0, 1, 0] == most


def _packed(samples: list[int], depth: int) -> bytes:
    bits = sum(value << depth * place for place, value in enumerate(reversed(samples)))
    bits <<= -len(samples) * depth % 8
    return bits.to_bytes((len(samples) * depth + 7) // 8, "big")


def test_a_transparent_colour_becomes_alpha() -> None:
    picture = decode(file_of(image_of(noise(8, 8, 3)), transparency=(200, 10, 90)), name="x")
    assert picture.alpha is not None
    assert picture.alpha[0, 0] == 0
    assert picture.alpha[1:].min() == 255


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=20))
def test_sixteen_bits_stay_sixteen(samples: list[int]) -> None:
    picture = decode(png_of(len(samples), 1, 16, 0, struct.pack(f">{len(samples)}H", *samples)), name="x")
    assert picture.pixels.ravel().tolist() == samples
    assert (picture.bits, picture.is_deep, picture.notes) == (16, True, ())


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_of_colour_and_alpha_stay(colour: int, channels: int) -> None:
    samples = deep_noise(5, 7, channels)
    picture = decode(png_of(7, 5, 16, colour, samples.astype(">u2").tobytes()), name="x")
    assert np.array_equal(picture.pixels, samples[..., : picture.pixels.shape[2]])
    assert picture.alpha is None or np.array_equal(picture.alpha, samples[..., -1])
    assert not picture.notes


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", MODES_OF)
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    exif = exif_of(Orientation=orientation, Make="Camera")
    data = file_of(scene(20, 30, MODES_OF[kind][-1].count("A") + 3), kind, exif=exif, xmp=XMP % orientation)
    picture = decode(data, name="x")
    expected = np.asarray(ImageOps.exif_transpose(opened(data)))
    assert np.array_equal(picture.pixels, expected[..., :3])
    assert picture.alpha is None or np.array_equal(picture.alpha, expected[..., 3])
    assert picture.metadata.exif is not None
    kept = Image.Exif()
    kept.load(b"Exif\0\0" + picture.metadata.exif)
    assert dict(kept) == {0x0112: 1, 0x010F: "Camera"}
    assert picture.metadata.xmp == XMP % 1
    assert is_on_its_side(data, name="x") == (orientation >= 5)


def test_orientation_in_xmp_alone_counts_and_exif_overrules_it() -> None:
    lying = file_of(scene(20, 30, 3), xmp=XMP % 6)
    assert decode(lying, name="x").pixels.shape == (30, 20, 3)
    assert is_on_its_side(lying, name="x")
    overruled = file_of(scene(20, 30, 3), xmp=XMP % 6, exif=exif_of(Orientation=1))
    assert decode(overruled, name="x").pixels.shape == (20, 30, 3)
    assert not is_on_its_side(overruled, name="x")


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_picture_on_its_side_is_known_without_its_pixels(kind: str) -> None:
    """AVIF, HEIC and JPEG XL turn by numbers of their own, which their libraries obey."""
    make = {"jxl": lambda _kind: bytes(imagecodecs.jpegxl_encode_jpeg(with_orientation("jpeg")))}.get(
        kind, with_orientation if kind in MADE["orientation"][1] else lambda kind: file_of(scene(20, 30, 3), kind)
    )
    data = make(kind)
    header, picture = read_header(data, name="x"), decode(data, name="x")
    seen = (header.height, header.width) if is_on_its_side(data, name="x") else (header.width, header.height)
    assert seen == (picture.width, picture.height)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_that_says_last_how_it_lies_is_on_its_side(depth: int) -> None:
    data = png_of(3, 2, depth, 0, bytes(3 * 2 * depth // 8))
    end = data.rindex(b"IEND") - 4
    data = data[:end] + png_chunk(b"eXIf", exif_of(Orientation=6)[6:]) + data[end:]
    assert decode(data, name="x").pixels.shape == (3, 2, 1)
    assert is_on_its_side(data, name="x")


def test_resolution_turns_with_the_picture() -> None:
    data = file_of(scene(20, 30, 3), "jpeg", dpi=(100, 200), exif=exif_of(Orientation=6))
    assert decode(data, name="x").metadata.dpi == (200, 100)


@pytest.mark.parametrize("kind", MODES_OF)
def test_equal_channels_are_grey(kind: str) -> None:
    grey = scene(300, 200, 1)
    picture = decode(file_of(np.repeat(grey, 3, axis=2), kind), name="x")
    assert picture.pixels.shape == (300, 200, 1)
    assert np.abs(picture.pixels.astype(int) - grey).max() <= (kind == "jpeg") * 3


@given(st.integers(0, 299), st.integers(0, 199), st.integers(0, 2))
def test_one_coloured_pixel_makes_a_picture_coloured(y: int, x: int, channel: int) -> None:
    pixels = np.repeat(scene(300, 200, 1), 3, axis=2)
    pixels[y, x, channel] += 1
    assert decode(file_of(pixels, compress_level=0), name="x").pixels.shape[2] == 3


@pytest.mark.parametrize("quality", [30, 80, 100])
def test_grey_through_lossy_webp_is_grey(quality: int) -> None:
    grey = np.repeat(noise(160, 160, 1), 3, axis=2)
    data = file_of(grey, "webp", lossless=False, quality=quality)
    stored = array_of(data, "RGB")
    assert not np.array_equal(stored[..., 0], stored[..., 1]), "the codec has become exact: drop the tolerance"
    assert decode(data, name="x").pixels.shape[2] == 1


@pytest.mark.parametrize(
    "options",
    [
        {"exif": exif_of(Make="Camera")},
        {"icc_profile": rgb_profile() + bytes(1 + len(rgb_profile()) % 2)},  # an odd chunk, padded to even
        {"save_all": True, "append_images": [Image.new("RGB", (160, 160))]},
    ],
)
def test_grey_is_found_behind_other_chunks_of_webp(options: dict[str, object]) -> None:
    grey = np.repeat(noise(160, 160, 1), 3, axis=2)
    assert decode(file_of(grey, "webp", lossless=False, quality=80, **options), name="x").pixels.shape[2] == 1


def test_nearly_grey_in_a_lossless_file_is_coloured() -> None:
    pixels = np.repeat(noise(40, 40, 1), 3, axis=2) // 2
    pixels[..., 1] += 1
    assert decode(file_of(pixels, "webp"), name="x").pixels.shape[2] == 3


@pytest.mark.parametrize("value", [0, 77, 255])
def test_constant_alpha_is_kept_in_one_byte(value: int) -> None:
    pixels = noise(30, 20, 4)
    pixels[..., 3] = value
    picture = decode(file_of(pixels, exif=exif_of(Orientation=6)), name="x")
    assert picture.alpha is not None
    assert picture.alpha.shape == (20, 30)
    assert picture.alpha_is_constant
    assert (picture.alpha == value).all()


def test_varying_alpha_is_not_constant() -> None:
    assert not decode(file_of(noise(3, 3, 4)), name="x").alpha_is_constant


def test_cmyk_is_converted_and_told() -> None:
    cmyk = Image.new("CMYK", (40, 30), (0, 255, 255, 0))
    data = file_of(cmyk, "jpeg", quality=95, icc_profile=grey_profile())
    picture = decode(data, name="x")
    assert np.abs(picture.pixels.astype(int) - (255, 0, 0)).max() <= 4
    assert picture.metadata.icc is None
    assert "without a usable colour profile" in notes_of(data)


def test_cmyk_goes_through_its_profile() -> None:
    data = file_of(Image.new("CMYK", (40, 30), (255, 0, 0, 0)), "jpeg", quality=95, icc_profile=cmyk_profile())
    picture = decode(data, name="x")
    assert np.abs(picture.pixels.astype(int) - 119).max() <= 2  # L* 50 in sRGB
    assert picture.metadata.icc is None
    assert "through its colour profile" in notes_of(data)


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_animations_give_their_first_frame_alone_if_that_is_wanted_and_say_so(kind: str) -> None:
    frames = [image_of(scene(20, 20, 3)), image_of(255 - scene(20, 20, 3))]
    data = file_of(frames[0], kind, save_all=True, append_images=frames[1:])
    picture = decode(data, name="x", animated=False)
    assert np.array_equal(picture.pixels, np.asarray(frames[0]))
    assert picture.animation is None
    assert ["Of 2 frames" in note.text("en") for note in picture.notes] == [True]


def test_further_pictures_of_a_phone_are_told() -> None:
    buffer = io.BytesIO()
    image = image_of(scene(20, 20, 3))
    image.save(buffer, "MPO", save_all=True, append_images=[image])
    assert decode(buffer.getvalue(), name="x").format == "jpeg"
    assert "second view" in notes_of(buffer.getvalue())


@pytest.mark.parametrize(("channels", "profile"), [(1, rgb_profile()), (3, grey_profile()), (3, b"no profile")])
def test_a_profile_that_does_not_fit_is_dropped_and_told(channels: int, profile: bytes) -> None:
    data = file_of(noise(8, 8, channels), "jpeg", icc_profile=profile)
    assert decode(data, name="x").metadata.icc is None
    assert "did not fit" in notes_of(data)


def test_a_gamma_without_a_profile_is_told() -> None:
    odd = png_of(1, 1, 8, 0, b"\x80", png_chunk(b"gAMA", struct.pack(">I", 100000)))
    usual = png_of(1, 1, 8, 0, b"\x80", png_chunk(b"gAMA", struct.pack(">I", 45455)))
    assert "gamma" in notes_of(odd)
    assert not notes_of(usual)


def test_many_threads_decode_at_once() -> None:
    files = {kind: file_of(scene(200, 150, 3), kind) for kind in MODES_OF}
    expected = {kind: decode(data, name="x").pixels for kind, data in files.items()}
    limit = Image.MAX_IMAGE_PIXELS
    wrong: list[str] = []

    def work() -> None:
        for kind, data in list(files.items()) * 10:
            if not np.array_equal(decode(data, name="x").pixels, expected[kind]):
                wrong.append(kind)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert limit == Image.MAX_IMAGE_PIXELS
