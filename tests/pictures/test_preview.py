"""Small pictures of large ones: upright, in the box, in the picture's own colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from enlarger.errors import PictureError
from enlarger.pictures import preview


def drawn(size: tuple[int, int] = (400, 200), mode: str = "RGB") -> Image.Image:
    """Left half dark, right half light."""
    image = Image.new("L", size, 40)
    image.paste(220, (size[0] // 2, 0, *size))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def small(data: bytes, width: int = 100, height: int = 100) -> Image.Image:
    made = preview(data, name="p", width_px=width, height_px=height, max_megapixels=50)
    image = Image.open(io.BytesIO(made))
    assert image.format == "WEBP"
    image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_it_fits_into_the_box(kind: str, mode: str) -> None:
    image = small(saved(drawn(mode=mode), kind))
    assert image.size == (100, 50)
    pixels = np.asarray(image.convert("L")).astype(int)
    assert abs(pixels[:, :45] - 40).max() < 12
    assert abs(pixels[:, 55:] - 220).max() < 12


def test_it_is_never_larger_than_the_picture() -> None:
    assert small(saved(drawn((40, 20)), "PNG")).size == (40, 20)
    assert small(saved(drawn((40, 20)), "JPEG")).size == (40, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_it_is_upright(kind: str, orientation: int) -> None:
    upright = drawn((400, 200))
    upright.paste((128, 128, 128), (0, 0, 100, 50))  # a corner, so that mirrored ones differ
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's Transpose by what undoes it
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undone[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = small(saved(stored, kind, exif=exif.tobytes()))
    assert image.size == (100, 50)
    pixels = np.asarray(image.convert("L")).astype(int)
    assert all(abs(pixels[y, x] - value) < 20 for y, x, value in ((5, 10, 128), (40, 10, 40), (5, 90, 220)))


def test_the_profile_stays() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG"):
        assert small(saved(drawn(), kind, icc_profile=profile)).info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_stays(mode: str) -> None:
    image = drawn(mode=mode)
    image.putalpha(Image.new("L", image.size, 90))
    found = np.asarray(small(saved(image, "PNG")))
    assert found.shape[2] == 4
    assert abs(found[..., 3].astype(int) - 90).max() <= 2


def test_cmyk_is_shown() -> None:
    assert small(saved(drawn().convert("CMYK"), "JPEG")).size == (100, 50)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow itself says so
def test_broken_metadata_costs_nothing() -> None:
    data = saved(drawn(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff broken")
    assert small(data).size == (100, 50)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_told_by_name(data: bytes) -> None:
    with pytest.raises(PictureError, match="page 7"):
        preview(data, name="page 7", width_px=10, height_px=10, max_megapixels=1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_limit_holds(kind: str) -> None:
    with pytest.raises(PictureError, match="megapixels"):
        preview(saved(drawn(), kind), name="p", width_px=10, height_px=10, max_megapixels=0.01)
