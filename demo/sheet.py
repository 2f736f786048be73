"""A before/after sheet: the same details of two volumes beside each other, at the same size."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_CELL, _GAP, _HEAD = 420, 14, 46  # px
_PAPER, _INK, _QUIET = (250, 250, 248), (24, 24, 28), (120, 120, 128)


@dataclass(frozen=True)
class Detail:
    """A square of a page of the first volume: page number from 0, left, top and side in px."""

    page: int
    left: int
    top: int
    side: int


DETAILS = (
    Detail(page=1, left=488, top=282, side=110),
    Detail(page=1, left=435, top=580, side=110),
    Detail(page=4, left=440, top=70, side=110),
    Detail(page=0, left=160, top=520, side=120),
    Detail(page=7, left=385, top=255, side=110),
)


def write_sheet(before: Path, after: Path, target: Path, *, details: tuple[Detail, ...] = DETAILS) -> None:
    """Draw `details` of two CBZ volumes with as many pages, and save the sheet as PNG at `target`."""
    first, second = _pages(before), _pages(after)
    columns = ("Original", "Lanczos", "Enlarger")
    width = len(columns) * _CELL + (len(columns) + 1) * _GAP
    sheet = Image.new("RGB", (width, _HEAD + len(details) * (_CELL + _GAP)), _PAPER)
    for index, title in enumerate(columns):
        _label(sheet, title, _GAP + index * (_CELL + _GAP) + _CELL / 2)
    for row, detail in enumerate(details):
        crops = _crops(first[detail.page], second[detail.page], detail)
        for column, crop in enumerate(crops):
            sheet.paste(crop, (_GAP + column * (_CELL + _GAP), _HEAD + row * (_CELL + _GAP)))
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, optimize=True)


def _crops(before: Image.Image, after: Image.Image, detail: Detail) -> tuple[Image.Image, ...]:
    original, enlarged = _cut(before, detail, 1.0), _cut(after, detail, after.width / before.width)
    cell = (_CELL, _CELL)
    return (
        original.resize(cell, Image.Resampling.NEAREST),
        original.resize(cell, Image.Resampling.LANCZOS),
        enlarged.resize(cell, Image.Resampling.LANCZOS),
    )


def _cut(page: Image.Image, detail: Detail, scale: float) -> Image.Image:
    left, top, side = (round(value * scale) for value in (detail.left, detail.top, detail.side))
    return page.crop((left, top, left + side, top + side))


def _pages(volume: Path) -> list[Image.Image]:
    with zipfile.ZipFile(volume) as archive:
        names = sorted(n for n in archive.namelist() if n.lower().endswith((".jpg", ".png", ".webp")))
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def _label(sheet: Image.Image, text: str, middle: float) -> None:
    draw = ImageDraw.Draw(sheet)
    tone = _INK if text == "Enlarger" else _QUIET
    draw.text((middle, _HEAD / 2), text, tone, ImageFont.load_default(20), "mm")
