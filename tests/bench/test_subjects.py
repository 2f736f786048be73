"""The pictures: drawn once, of the size asked for, and a large photograph without seams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench import subjects
from bench.subjects import Studio


def test_a_picture_is_drawn_once(tmp_path: Path) -> None:
    first, second = Studio(tmp_path).pages(2, (96, 128))
    drawn_at = first.path.stat().st_mtime_ns
    assert Studio(tmp_path).pages(1, (96, 128)) == (first,)
    assert first.path.stat().st_mtime_ns == drawn_at
    assert first.data != second.data


def test_pictures_have_the_size_that_they_say(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    (page,) = studio.pages(1, (96, 128))
    for subject in (page, studio.photograph((150, 90)), studio.crop(page, 1, (40, 50))):
        with Image.open(subject.path) as picture:
            assert picture.size == subject.size
        assert subject.px == subject.size[0] * subject.size[1]


def test_windows_lie_side_by_side(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    (page,) = studio.pages(1, (96, 128))
    windows = [studio.crop(page, index, (40, 50)) for index in range(5)]
    assert len({window.path for window in windows[:4]}) == 4
    assert windows[4] == windows[0]


def test_a_large_photograph_is_a_small_one_mirrored(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subjects, "_LARGEST_DRAWN_PX", 6000)
    with Image.open(Studio(tmp_path).photograph((160, 120)).path) as picture:
        pixels = np.asarray(picture, np.float32)
    assert pixels.shape == (120, 160, 3)
    assert np.abs(pixels[:, :80] - pixels[:, :79:-1]).mean() < 8  # JPEG's own blocks differ a little
    assert np.abs(np.diff(pixels[:, 78:82], axis=1)).mean() < np.abs(np.diff(pixels, axis=1)).mean() * 2
