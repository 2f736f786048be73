"""The sample volume is the same on every run, is textured art, and ends up on the sheet."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.cover import draw_cover
from demo.lettering import _STROKES, glyph
from demo.pages import SCRIPTS, draw_page
from demo.photo import draw_photo
from demo.sheet import Detail, write_sheet
from demo.volume import write_sample


@pytest.mark.parametrize("seed", range(len(SCRIPTS)))
def test_every_page_can_be_drawn_small(seed: int) -> None:
    page = draw_page(seed, 330, 480)
    assert (page.size, page.mode) == ((330, 480), "L")
    assert np.asarray(page).std() > 50  # ink and paper, not a flat grey


@pytest.mark.parametrize("size", [(64, 64), (97, 131), (320, 500)])
def test_pages_of_any_size_are_textured_and_repeatable(size: tuple[int, int]) -> None:
    page = draw_page(3, *size)
    assert page.size == size
    assert np.asarray(page).std() > 25
    assert page.tobytes() == draw_page(3, *size).tobytes()
    assert page.tobytes() != draw_page(4, *size).tobytes()


def test_cover_and_photo_have_colour() -> None:
    for picture in (draw_cover(1, 210, 300), draw_photo(4, 240, 160)):
        pixels = np.asarray(picture).astype(int)
        assert picture.mode == "RGB"
        assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 8


@pytest.mark.parametrize("letter", _STROKES)
def test_every_glyph_is_made_of_strokes(letter: str) -> None:
    for stroke in glyph(letter):
        assert stroke.shape[0] >= 2
        assert stroke.min() >= 0
        assert stroke.max() <= 1


def test_the_sample_is_a_volume_of_jpeg_scans(tmp_path: Path) -> None:
    write_sample(tmp_path / "sample.cbz")
    with zipfile.ZipFile(tmp_path / "sample.cbz") as archive:
        names = archive.namelist()
        sizes = [Image.open(archive.open(name)).size for name in names]
    assert names == ["000-cover.jpg", *(f"{n:03d}.jpg" for n in range(1, 7)), "007-photo.jpg"]
    assert sizes == [(700, 1000)] * 7 + [(900, 600)]


def test_the_sheet_shows_both_volumes(tmp_path: Path) -> None:
    for name, tone, side in (("before", 40, 60), ("after", 200, 120)):
        Image.new("RGB", (side, side), (tone, tone, tone)).save(tmp_path / "0.png")
        with zipfile.ZipFile(tmp_path / f"{name}.cbz", "w") as archive:
            archive.write(tmp_path / "0.png", "0.png")
    write_sheet(
        tmp_path / "before.cbz",
        tmp_path / "after.cbz",
        tmp_path / "out" / "sheet.png",
        details=(Detail(0, 10, 10, 30),),
    )
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        middle = sheet.height * 2 // 3
        assert [sheet.getpixel((sheet.width * x // 6, middle)) for x in (1, 3, 5)] == [
            (40, 40, 40), (40, 40, 40), (200, 200, 200),
        ]  # fmt: skip
