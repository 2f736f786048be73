"""Manga pages drawn by code: panels with uneven gutters, and a scan's paper, softness and grain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from demo import shots
from demo.ink import Board, Points
from demo.lettering import write_latin
from demo.shots import Shot

WIDTH, HEIGHT = 700, 1000  # px of a sample page, the size of a web scan
_SMALLEST_PAGE = 320  # px; below it one panel is drawn, not a page


@dataclass(frozen=True)
class Row:
    """Panels beside each other; `height` and `widths` are shares, read right to left."""

    height: float
    widths: tuple[float, ...]
    shots: tuple[Shot, ...]
    slant: float = 0.0


Script = tuple[Row, ...]

SCRIPTS: tuple[Script, ...] = (
    (
        Row(
            1.25,
            (1.0,),
            (Shot(shots.street, ("IT WAS LATE WHEN THE LIGHT\nCAME ON AGAIN.", "今天/光来了")),),
            slant=0.02,
        ),
        Row(
            1.0,
            (0.56, 0.44),
            (Shot(shots.girl, ("SOMEBODY\nIS STILL AT\nWORK?",)), Shot(shots.boy, ("不!/明天来",))),
            slant=-0.02,
        ),
        Row(0.5, (1.0,), (Shot(shots.eyes, ("ドン",)),)),
    ),
    (
        Row(1.2, (1.0,), (Shot(shots.darkroom, ("THE OLD\nENLARGER...",)),), slant=-0.02),
        Row(
            1.0,
            (0.4, 0.6),
            (Shot(shots.girl_dreams, ("...",)), Shot(shots.friend, ("IT MAKES SMALL\nTHINGS LARGE.", "大/小"))),
            slant=0.03,
        ),
    ),
    (
        Row(0.9, (0.38, 0.62), (Shot(shots.machine, ("カッ",)), Shot(shots.girl_shocked, ("火!",))), slant=0.03),
        Row(0.55, (1.0,), (Shot(shots.eyes),), slant=-0.02),
        Row(0.95, (0.55, 0.45), (Shot(shots.boy_shouts, ("走!!",)), Shot(shots.runner, ("ザザ",)))),
    ),
    (
        Row(
            1.5, (1.0,), (Shot(shots.mountains, ("ゴゴゴ", "FAR AWAY, A MOUNTAIN\nTURNED IN ITS SLEEP.")),), slant=0.02
        ),
        Row(
            1.0,
            (0.34, 0.33, 0.33),
            (Shot(shots.girl, ("火山…",)), Shot(shots.boy, ("大/火",)), Shot(shots.friend, ("不!",))),
            slant=-0.01,
        ),
    ),
    (
        Row(1.0, (1.0,), (Shot(shots.runner, ("ドドド",)),), slant=0.03),
        Row(
            1.3,
            (0.6, 0.4),
            (Shot(shots.girl_shocked, ("WATCH OUT!", "小心")), Shot(shots.boy_shouts, ("上!",))),
            slant=-0.03,
        ),
        Row(0.55, (0.5, 0.5), (Shot(shots.mountains), Shot(shots.street))),
    ),
    (
        Row(
            0.9,
            (0.5, 0.5),
            (Shot(shots.girl_smiles, ("NOW IT IS\nLARGE ENOUGH\nTO SEE.",)), Shot(shots.friend, ("月光",))),
            slant=-0.02,
        ),
        Row(1.3, (1.0,), (Shot(shots.sea, ("AND THE MOON STAYED\nUNTIL MORNING.",)),)),
    ),
)

_SINGLES = (shots.girl, shots.boy_shouts, shots.darkroom, shots.street, shots.mountains, shots.girl_smiles)


def draw_page(seed: int, width: int = WIDTH, height: int = HEIGHT, *, scanned: bool = True) -> Image.Image:
    """A page of `width` x `height` px, mode L; the same seed and size give the same pixels.

    Lines and dots grow with the page as a finer scan's would. Sizes below 320 px a side get a
    single panel without gutters: still textured, and small enough for a test.
    """
    rng = np.random.default_rng(seed)
    unit = max(0.6, min(width / WIDTH, height / HEIGHT))
    if min(width, height) < _SMALLEST_PAGE:
        board = Board(width, height, unit=0.6)
        _SINGLES[seed % len(_SINGLES)](board, rng, ())
    else:
        board = Board(width, height, unit=unit)
        _draw_script(board, SCRIPTS[seed % len(SCRIPTS)], rng)
        write_latin(board, str(seed % 200 + 1), width / 2, height - 13 * unit, 10 * unit)
    return scan(board.finish(), rng) if scanned else board.finish()


def scan(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """What a scanner makes of print: ink that is not black, paper that is not white, softness, grain."""
    softened = np.asarray(page.filter(ImageFilter.GaussianBlur(0.45)), dtype=np.float32)
    levels = 16 + softened * np.float32((247 - 16) / 255)
    grain = rng.normal(0, 1.6, softened.shape).astype(np.float32)
    return Image.fromarray(np.clip(levels + grain, 0, 255).astype(np.uint8))


def _draw_script(board: Board, script: Script, rng: np.random.Generator) -> None:
    margin, gutter = 0.045 * board.width, 0.018 * board.width
    total = sum(row.height for row in script)
    room = board.height - 2 * margin - gutter * (len(script) - 1)
    top, lean = margin, 0.0
    for index, row in enumerate(script):
        tall = room * row.height / total
        lean_below = row.slant * board.height if index < len(script) - 1 else 0.0
        _draw_row(board, row, (top, top + tall), (lean, lean_below), rng)
        top, lean = top + tall + gutter, lean_below


def _draw_row(
    board: Board, row: Row, edges: tuple[float, float], leans: tuple[float, float], rng: np.random.Generator
) -> None:
    """One row between two edges that rise or fall by `leans` px over the page's width."""
    margin, gutter = 0.045 * board.width, 0.018 * board.width
    room = board.width - 2 * margin - gutter * (len(row.widths) - 1)
    right, tilt = board.width - margin, 0.0
    for index, (share, shot) in enumerate(zip(row.widths, row.shots, strict=True)):
        left = right - room * share
        tilt_left = rng.uniform(-0.03, 0.03) * board.width if index < len(row.widths) - 1 else 0.0

        def edge(x: float, which: int) -> tuple[float, float]:
            return x, edges[which] + leans[which] * (x / board.width - 0.5)

        corners = [edge(left + tilt_left, 0), edge(right + tilt, 0), edge(right - tilt, 1), edge(left - tilt_left, 1)]
        _draw_panel(board, np.asarray(corners), shot, rng)
        right, tilt = left - gutter, tilt_left


def _draw_panel(board: Board, corners: Points, shot: Shot, rng: np.random.Generator) -> None:
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    panel = Board(int(right - left), int(bottom - top), unit=board.unit)
    shot.draw(panel, rng, shot.words)
    board.paste(panel, int(left), int(top), corners)
    board.line(corners, 3.0, closed=True)
