"""A photograph far larger than a page, in bounded memory."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
from PIL import Image
from real_command import Command

from demo.photo import draw_photo

pytestmark = [
    pytest.mark.weights,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # a minute here, several on a machine without bf16
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

_GB = 10**9


def test_an_8000_by_6000_photograph_at_2x(enlarger: Command, tmp_path: Path) -> None:
    """48 megapixels in, 192 out. Decoded and enlarged pixels alone take 0.72 GB."""
    draw_photo(3, 1000, 750).resize((8000, 6000), Image.Resampling.BICUBIC).save(tmp_path / "photo.jpg", quality=92)
    done = enlarger.measured(
        *("upscale", tmp_path / "photo.jpg", "--model", "waifu2x-upconv7-photo", "--device", "openvino", "--json")
    )
    assert done.code == 0, done.err
    print(f"at most {done.peak_bytes / _GB:.2f} GB resident")
    assert done.peak_bytes < 2.5 * _GB
    (page,) = done.pages.values()
    assert page["size"] == [16000, 12000]
    assert jpeg_size((tmp_path / "photo_2x.jpg").read_bytes()) == (16000, 12000)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the frame header: Pillow takes pictures this large for bombs."""
    assert data[:2] == b"\xff\xd8"
    assert data[-2:] == b"\xff\xd9"
    frame = next(data.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data[:100_000])
    height, width = struct.unpack(">HH", data[frame + 5 : frame + 9])
    return width, height
