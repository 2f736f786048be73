"""A photograph far larger than a page, in bounded memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from real_command import Command

from demo.photo import draw_photo

pytestmark = [
    pytest.mark.weights,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

_GB = 10**9


def test_an_8000_by_6000_photograph_at_2x(enlarger: Command, tmp_path: Path) -> None:
    """48 megapixels in, 192 out. Decoded and enlarged pixels alone take 0.72 GB."""
    draw_photo(3, 1000, 750).resize((8000, 6000), Image.Resampling.BICUBIC).save(tmp_path / "photo.jpg", quality=92)
    done = enlarger.measured(
        *("upscale", tmp_path / "photo.jpg", "--model", "waifu2x-upconv7-photo", "--device", "openvino")
    )
    assert done.code == 0, done.err
    print(f"at most {done.peak_bytes / _GB:.2f} GB resident")
    assert done.peak_bytes < 2.5 * _GB
    with Image.open(tmp_path / "photo_2x.jpg") as result:
        assert result.size == (16000, 12000)
