"""A cover in colour: the girl of the pages before a town at dusk, under the title."""

from __future__ import annotations

import numpy as np
from PIL import Image

from demo.ink import BLACK, WHITE, Board, Place, Tone, ellipse
from demo.lettering import write_glyph, write_latin
from demo.people import Look, Person

_LOOK = Look(
    hair="bob", expression="smile", turn=-0.28, skin=(255, 228, 208), hair_tone=(62, 40, 74), shine=(196, 150, 190),
    iris=(52, 96, 140), cloth=(38, 60, 104), shirt=(246, 244, 238), tie=(190, 44, 60),
)  # fmt: skip


def draw_cover(seed: int, width: int = 700, height: int = 1000) -> Image.Image:
    """A cover of `width` x `height` px, mode RGB; the same seed and size give the same pixels."""
    rng = np.random.default_rng(seed)
    board = Board(width, height, unit=width / 700, colour=True)
    board.wash(None, (24, 28, 84), (250, 150, 120))
    _stars(board, rng)
    board.glow(width * 0.68, height * 0.30, width * 0.62, (255, 236, 190), 0.9)
    board.fill(ellipse(width * 0.68, height * 0.30, width * 0.2, width * 0.2), (255, 246, 214))
    for dx, dy, r in ((-0.05, -0.03, 0.04), (0.06, 0.04, 0.05), (0.03, -0.09, 0.025), (-0.07, 0.08, 0.03)):
        board.fill(ellipse(width * (0.68 + dx), height * 0.30 + width * dy, width * r, width * r), (244, 226, 182))
    for depth, tone in enumerate(((104, 66, 116), (66, 42, 92), (34, 24, 60))):
        _roofs(board, rng, height * (0.60 + 0.09 * depth), tone)
    Person(board, Place(width * 0.42, height * 0.56, width * 0.215, 0.06), _LOOK, rng).draw()
    board.screentone(board.mask([(0, 0), (width, 0), (width, height * 0.1), (0, height * 0.2)]), 0.05)
    _title(board)
    return _print(board.finish(), rng)


def _stars(board: Board, rng: np.random.Generator) -> None:
    for _ in range(120):
        x, y = rng.uniform(0, board.width), rng.uniform(0, board.height * 0.45)
        r = (0.5 + rng.exponential(0.6)) * board.unit
        board.fill(ellipse(x, y, r, r), (255, 250, 232))


def _roofs(board: Board, rng: np.random.Generator, base: float, tone: Tone) -> None:
    x, w = -20.0, board.width
    while x < w:
        wide, top = rng.uniform(0.06, 0.15) * w, base - rng.uniform(0, 0.14) * board.height
        board.shape([(x, top), (x + wide, top), (x + wide, board.height), (x, board.height)], tone=tone, width=1.2)
        if rng.random() < 0.5:
            board.line([(x + wide / 2, top), (x + wide / 2, top - 0.04 * board.height)], 1.6, tone=tone)
        _windows(board, rng, (x, top, wide))
        x += wide


def _windows(board: Board, rng: np.random.Generator, house: tuple[float, float, float]) -> None:
    x, top, wide = house
    pane = 7 * board.unit
    for row in range(12):
        for column in range(int(wide // (pane * 2))):
            if rng.random() < 0.45:
                left, upper = x + pane * (0.8 + 2 * column), top + pane * (1.2 + 2.2 * row)
                warm = (255, int(rng.integers(190, 235)), 120)
                board.fill(
                    [(left, upper), (left + pane, upper), (left + pane, upper + pane), (left, upper + pane)], warm
                )


def _title(board: Board) -> None:
    w, h = board.width, board.height
    title: tuple[tuple[float, Tone], ...] = ((4.0, (24, 20, 52)), (0.0, (255, 214, 84)))
    for offset, tone in title:
        write_latin(board, "THE ENLARGER", w * 0.5 + offset, h * 0.075 + offset, 66 * board.unit, tone=tone)
    write_latin(board, "A SAMPLE VOLUME, DRAWN BY CODE", w * 0.5, h * 0.13, 17 * board.unit, tone=WHITE)
    for i, letter in enumerate("光大小"):
        place = Place(w * 0.86, h * (0.70 + 0.085 * i), w * 0.085)
        write_glyph(board, letter, place, width=15, tone=WHITE)
        write_glyph(board, letter, place, width=7, tone=(200, 40, 56))
    board.line([(0, h - 1), (w, h - 1)], 2, tone=BLACK)


def _print(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    levels = np.asarray(page, dtype=np.float32) * np.float32(0.94) + 8
    grain = rng.normal(0, 1.8, (*levels.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(np.clip(levels + grain, 0, 255).astype(np.uint8))
