"""The small volume that every test of the web application finds on the shelf."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image

from demo.pages import draw_page

MODEL = "waifu2x-upconv7-anime"  # the quickest of those that make a page clearly sharper
PAGE_SIZE = (350, 500)
PAGES = 12


def write_volume(target: Path, pages: int, size: tuple[int, int] = PAGE_SIZE) -> None:
    """Drawn pages, small as the worst scans are, so that a page takes a moment only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(pages):
            file = io.BytesIO()
            page = draw_page(number).convert("L").resize(size, Image.Resampling.LANCZOS)
            page.save(file, "JPEG", quality=88)
            archive.writestr(f"{number + 1:03d}.jpg", file.getvalue())
