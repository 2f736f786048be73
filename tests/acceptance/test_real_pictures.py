"""What a picture carries besides its colours comes out of the real command again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from page_files import encoded, opened, write
from PIL import Image, ImageCms, ImageDraw
from real_command import Command, tree

from demo.pages import draw_page
from demo.photo import draw_photo

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_ORIENTATION, _MAKE, _WIDTH, _EXIF_IFD = 0x0112, 0x010F, 0xA002, 0x8769


@pytest.fixture(scope="module")
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, profile: bytes) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "原图"
    page, photo = draw_page(1, 60, 80), draw_photo(1, 90, 60)
    write(folder / "grey.png", encoded(page, "PNG", dpi=(300, 300)))
    write(folder / "grey.jpg", encoded(page, "JPEG", quality=95))
    write(folder / "sticker.png", encoded(sticker(photo), "PNG"))
    write(folder / "sticker.webp", encoded(sticker(photo), "WEBP", lossless=True))
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKE] = 6, "Darkroom"
    exif.get_ifd(_EXIF_IFD)[_WIDTH] = 90
    turned = {"quality": 95, "exif": exif.tobytes(), "icc_profile": profile, "dpi": (240, 240)}
    write(folder / "子文件夹" / "turned.jpg", encoded(photo, "JPEG", **turned))
    write(folder / "inks.jpg", encoded(photo.convert("CMYK"), "JPEG", quality=95))
    write(folder / "palette.png", encoded(page.convert("P"), "PNG"))
    write(folder / "one pixel.png", encoded(Image.new("RGB", (1, 1), (200, 30, 90)), "PNG"))
    write(folder / "strip.png", encoded(page.crop((0, 0, 3, 80)), "PNG"))
    return folder


def sticker(photo: Image.Image) -> Image.Image:
    """A round cut-out: transparent outside, green where nothing is to be seen."""
    cut = Image.new("RGBA", photo.size, (0, 255, 0, 0))
    mask = Image.new("L", photo.size, 0)
    ImageDraw.Draw(mask).ellipse((10, 5, 80, 55), fill=255)
    cut.paste(photo.convert("RGBA"), mask=mask)
    return cut


@pytest.fixture(scope="module")
def results(folder: Path, graphs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One run over all of them."""
    room = tmp_path_factory.mktemp("results")
    done = Command(graphs_dir, room / "cache").upscale(folder, "-o", room / "大图", "--json")
    assert done.code == 0, done.err
    assert "notes" in done.pages["inks.jpg"]
    assert done.pages["inks.jpg"]["notes"]  # CMYK became RGB, and the report says so
    return tree(room / "大图")


def near(result: bytes, original: bytes, mode: str) -> float:
    """Mean difference in 255ths between the result, halved, and what it was made from."""
    small = opened(result).convert(mode).reduce(2)
    return float(np.abs(np.asarray(small, np.int16) - np.asarray(opened(original).convert(mode))).mean())


def test_every_picture_has_twice_its_size(folder: Path, results: dict[str, bytes]) -> None:
    originals = tree(folder)
    assert results.keys() == originals.keys()
    for name, data in results.items():
        width, height = opened(originals[name]).size
        expected = (2 * height, 2 * width) if "turned" in name else (2 * width, 2 * height)
        assert opened(data).size == expected, name


def test_grey_stays_one_channel(folder: Path, results: dict[str, bytes]) -> None:
    for name in ("grey.png", "grey.jpg", "strip.png"):
        assert opened(results[name]).mode == "L"
        assert near(results[name], (folder / name).read_bytes(), "L") < 4, name
    assert opened(results["grey.png"]).info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("name", ["sticker.png", "sticker.webp"])
def test_alpha_survives_and_nothing_hidden_shines_through(folder: Path, results: dict[str, bytes], name: str) -> None:
    result, original = opened(results[name]).convert("RGBA"), opened((folder / name).read_bytes()).convert("RGBA")
    alpha, before = np.asarray(result.getchannel("A").reduce(2), np.int16), np.asarray(original.getchannel("A"))
    assert np.abs(alpha - before).mean() < 3
    assert (alpha[before == 0] < 40).mean() > 0.97
    pixels = np.asarray(result, np.int16)
    visible = pixels[pixels[:, :, 3] > 128]
    greenness = (visible[:, 1] - np.maximum(visible[:, 0], visible[:, 2])).max()
    shown = np.asarray(original, np.int16)[before == 255]
    assert greenness <= (shown[:, 1] - np.maximum(shown[:, 0], shown[:, 2])).max() + 24


def test_exif_profile_and_orientation_survive(folder: Path, results: dict[str, bytes], profile: bytes) -> None:
    name = "子文件夹/turned.jpg"
    result = opened(results[name])
    exif = result.getexif()
    assert result.info["icc_profile"] == profile
    assert exif[_MAKE] == "Darkroom"
    assert exif.get(_ORIENTATION, 1) == 1  # upright now, and said so
    assert exif.get_ifd(_EXIF_IFD)[_WIDTH] == 120
    assert result.info["dpi"] == pytest.approx((240, 240), abs=1)
    upright = opened((folder / name).read_bytes()).transpose(Image.Transpose.ROTATE_270)
    assert near(results[name], encoded(upright, "PNG"), "RGB") < 4


def test_other_colour_models_keep_their_colours(folder: Path, results: dict[str, bytes]) -> None:
    assert near(results["inks.jpg"], (folder / "inks.jpg").read_bytes(), "RGB") < 6
    assert near(results["palette.png"], (folder / "palette.png").read_bytes(), "L") < 4
    assert np.abs(np.asarray(opened(results["one pixel.png"]), np.int16) - (200, 30, 90)).max() <= 3
