"""The sample volume: a cover, six pages and a photograph, as the JPEG files of a scan inside a CBZ."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from demo.cover import draw_cover
from demo.pages import SCRIPTS, draw_page
from demo.photo import draw_photo

JPEG_QUALITY = 80  # as scans are passed on: with visible blocks around every line


def sample_pictures() -> Iterator[tuple[str, Image.Image]]:
    """Member names and pictures, in reading order."""
    yield "000-cover.jpg", draw_cover(1)
    for number in range(len(SCRIPTS)):
        yield f"{number + 1:03d}.jpg", draw_page(number)
    yield f"{len(SCRIPTS) + 1:03d}-photo.jpg", draw_photo(4)


def write_sample(target: Path) -> None:
    """Draw the volume into a CBZ at `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, picture in sample_pictures():
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=JPEG_QUALITY, dpi=(150, 150))
            archive.writestr(zipfile.ZipInfo(name), file.getvalue())
