"""The pictures to measure with, textured as real ones are: drawn once by `demo`, kept as files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

import demo
from bench.sizes import Size
from demo.pages import draw_page
from demo.photo import draw_photo
from enlarger.storage import write_atomic

_JPEG_QUALITY = 92  # as scans and cameras deliver
_LARGEST_DRAWN_PX = 3_000_000  # a photograph beyond this is a smaller one, mirrored: drawing takes long


@dataclass(frozen=True)
class Subject:
    """A picture as a file: its bytes, and (width, height) in pixels."""

    name: str
    path: Path
    size: Size

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()

    @property
    def px(self) -> int:
        """Pixels of the picture."""
        return self.size[0] * self.size[1]


class Studio:
    """Draws what is not in `folder` yet. Files are named by the drawing code too: other code, other files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _drawing_code()

    def pages(self, count: int, size: Size) -> tuple[Subject, ...]:
        """Different manga pages, grey, as JPEG."""
        return tuple(self._page(seed, size) for seed in range(count))

    def cleaned_page(self, seed: int, size: Size) -> Subject:
        """A manga page, grey, as JPEG, with a book's margins and without a scan's grain: its paper is exactly white."""
        return self._kept(f"cleaned{seed}", size, lambda: _cleaned(seed, size))

    def photograph(self, size: Size) -> Subject:
        """A photograph, RGB, as JPEG."""
        return self._kept("photograph", size, lambda: _photograph(size))

    def crop(self, of: Subject, index: int, size: Size) -> Subject:
        """One of the windows of `size` that fit side by side into a picture, as JPEG."""
        columns, rows = of.size[0] // size[0], of.size[1] // size[1]
        row, column = divmod(index % (columns * rows), columns)
        left, top = column * size[0], row * size[1]

        def draw() -> Image.Image:
            with Image.open(of.path) as picture:
                return picture.crop((left, top, left + size[0], top + size[1]))

        return self._kept(f"{of.path.stem}-window{row}-{column}", size, draw)

    def _page(self, seed: int, size: Size) -> Subject:
        return self._kept(f"page{seed}", size, lambda: draw_page(seed, *size))

    def _kept(self, stem: str, size: Size, draw: Callable[[], Image.Image]) -> Subject:
        name = f"{stem}-{size[0]}x{size[1]}.jpg"
        path = self._folder / name
        if not path.is_file():
            buffer = BytesIO()
            draw().save(buffer, "JPEG", quality=_JPEG_QUALITY)
            write_atomic(path, buffer.getvalue())
        return Subject(name, path, size)


def _cleaned(seed: int, size: Size) -> Image.Image:
    page = Image.new("L", size, 255)
    margins = (size[0] // 11, size[1] // 14)
    inner = draw_page(seed, size[0] - 2 * margins[0], size[1] - 2 * margins[1], scanned=False)
    page.paste(inner, margins)
    return page


def _photograph(size: Size) -> Image.Image:
    shrink = 1
    while size[0] * size[1] / shrink**2 > _LARGEST_DRAWN_PX:
        shrink *= 2
    tile = draw_photo(1, -(-size[0] // shrink), -(-size[1] // shrink))
    return tile if shrink == 1 else _mirrored(tile, size)


def _mirrored(tile: Image.Image, size: Size) -> Image.Image:
    """`tile` laid out with every second one mirrored, so that no seam is an edge."""
    flipped = tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    canvas = Image.new("RGB", size)
    for row, top in enumerate(range(0, size[1], tile.height)):
        for column, left in enumerate(range(0, size[0], tile.width)):
            piece = flipped if column % 2 else tile
            canvas.paste(piece.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if row % 2 else piece, (left, top))
    return canvas


def _drawing_code() -> str:
    code = hashlib.sha256()
    for path in sorted(Path(demo.__path__[0]).glob("*.py")):
        code.update(path.read_bytes())
    return code.hexdigest()[:12]
