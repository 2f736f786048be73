"""Lettering: a pen alphabet of kana and simple characters, Latin capitals, and balloons to hold them.

No CJK font comes with Python, and a page must look the same on every machine: so each character
is a few pen strokes on a 10 x 10 grid, and Latin text uses the typeface inside Pillow.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.ink import BLACK, OVERSAMPLING, WHITE, Board, Place, Points, Tone, ellipse, joined

# strokes apart by spaces, points as two digits: column then row
_STROKES = {
    "一": "0555a5",
    "二": "226282 088898",
    "三": "216181 256575 098999",
    "十": "044494 505a",
    "大": "033393 5053352708 5357799a",
    "天": "115181 044494 5154362809 5457799a",
    "上": "505999 5484 09494999",
    "下": "014191 514a 547586",
    "中": "22258582 2282 505a",
    "山": "504959 2429 84898a 2959898a",
    "川": "2126180a 5158 808a",
    "月": "3035372a 308089878a6a 336383 366686",
    "日": "2021292a 20808589 256585 296989",
    "目": "2020292a 2080858a 236383 266686 296989",
    "口": "222528 228288 288888",
    "田": "2020292a 2080858a 255585 505055595a 296989",
    "木": "033393 505a 5345270a 5365879a",
    "本": "033393 505a 5345270a 5365879a 377787",
    "水": "505a49 13333629 914463 4456799a",
    "火": "2235 8365 5053352a0a 5557799a",
    "人": "5053452809 4455779a",
    "小": "505a49 3325 7395",
    "心": "1417 3238399989 5153 7184",
    "土": "246484 5259 099999",
    "王": "116191 256585 5159 099999",
    "光": "5054 2133 8173 155595 353708 65696a9a98",
    "明": "1116 114146 133343 164646 6064685a 60909890 6393 6696",
    "来": "124282 2534 8574 055595 505a 5547290a 5567899a",
    "行": "302213 342617 2527292a 527292 559595 75787a69",
    "出": "5059 22255585 8285 151a 1a5a9a 959a",
    "了": "117181 815454 54585a49",
    "不": "014191 5144270907 535a 547698",
    "今": "503205 507295 356575 377767 675a",
    "走": "226282 5055 055595 5559 577787 36380a 379a",
    "カ": "144494959879 504836190a",
    "ガ": "143484858779 40473809 7072 9092",
    "ゴ": "123282 828789 098999 7072 9092",
    "ド": "30353a 356688 7072 9092",
    "ン": "1234 18488592",
    "バ": "33261809 71748698 7172 9092",
    "ッ": "1436 4456 8584684a",
    "タ": "402506 3282856809 3555",
    "シ": "1233 1546 19499693",
    "ザ": "033393 303638 707478695a 9092 8182",
    "ー": "505a",
    "ア": "012191 915364 5557493a",
    "イ": "8063450706 555a",
    "ノ": "8085583a1a",
    "ニ": "226282 088898",
    "ハ": "32341609 6265799a",
    "キ": "135383 168696 405a",
    "ル": "30372a0a 6068699895",
    "!": "5057 595a",
    "…": "5252 5555 5858",
}


def glyph(character: str) -> list[Points]:
    """The strokes of one character on a unit square."""
    return [_points(stroke) for stroke in _STROKES[character].split()]


def _points(stroke: str) -> Points:
    digits = [int(d, 11) / 10 for d in stroke]
    return np.array(list(zip(digits[0::2], digits[1::2], strict=False)))


def write_down(board: Board, text: str, x: float, y: float, size: float, *, weight: float = 1.0) -> None:
    """Characters in columns, top to bottom and right to left; `/` begins a column. (x, y) is the top right."""
    for column, letters in enumerate(text.split("/")):
        for row, letter in enumerate(letters):
            place = Place(x - (column + 0.9) * size * 1.12, y + row * size * 1.05, size * 0.86)
            write_glyph(board, letter, place, width=weight * size * 0.09 / board.unit)


def write_glyph(board: Board, letter: str, place: Place, *, width: float, tone: Tone = BLACK) -> None:
    """One character, its pen strokes with round ends."""
    for stroke in glyph(letter):
        path = place(stroke)
        board.line(path, width, tone=tone)
        radius = width * board.unit / 2
        for x, y in path:
            board.fill(ellipse(x, y, radius, radius), tone)


def write_latin(board: Board, text: str, x: float, y: float, size: float, *, tone: Tone = BLACK) -> None:
    """Lines of Latin capitals centred on (x, y)."""
    font = ImageFont.load_default(size * OVERSAMPLING)
    place = (x * OVERSAMPLING, y * OVERSAMPLING)
    bold = size / 22 * OVERSAMPLING
    ImageDraw.Draw(board.ink).multiline_text(
        place, text, board.paint(tone), font, "mm", spacing=size * 0.5, align="center", stroke_width=bold
    )


def latin_size(text: str, size: float) -> tuple[float, float]:
    """Width and height in px of lines of Latin text."""
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=ImageFont.load_default(size))
    return right - left, bottom - top


def balloon(board: Board, x: float, y: float, rx: float, ry: float, toward: tuple[float, float] | None) -> None:
    """A speech balloon around (x, y) with a short tail toward whoever speaks."""
    outline = ellipse(x, y, rx, ry)
    if toward is not None:
        way = np.array([(toward[0] - x) / rx, (toward[1] - y) / ry])
        angle = np.degrees(np.arctan2(way[1], way[0]))
        reach = min(float(np.hypot(*way)), 1.0 + 26 * board.unit / ry)
        tip = np.array([[x, y]]) + way / np.hypot(*way) * reach * [rx, ry]
        outline = joined([ellipse(x, y, rx, ry, angle + 12, angle + 348), tip])
    board.shape(outline, width=1.7)


def shout(board: Board, rng: np.random.Generator, x: float, y: float, rx: float, ry: float) -> None:
    """A balloon with a star's outline, for shouting."""
    count = 22
    angles = np.linspace(0, 2 * np.pi, count * 2, endpoint=False) + rng.uniform(-0.03, 0.03, count * 2)
    radius = np.where(np.arange(count * 2) % 2, 1.0, rng.uniform(1.16, 1.42, count * 2))
    star = np.column_stack([x + rx * radius * np.cos(angles), y + ry * radius * np.sin(angles)])
    board.fill(star, WHITE)
    board.line(star, 1.7, closed=True)


def sound(board: Board, letters: str, x: float, y: float, size: float, *, angle: float = -0.12) -> None:
    """A sound drawn into the picture: heavy letters with a white rim, running down and growing."""
    places = [
        Place(x - 0.12 * i * size, y + i * size * 1.02, size * (0.8 + 0.08 * i), angle + 0.05 * i)
        for i in range(len(letters))
    ]
    for share, tone in ((0.34, WHITE), (0.26, BLACK), (0.13, WHITE)):
        for letter, place in zip(letters, places, strict=True):
            write_glyph(board, letter, place, width=size * share / board.unit, tone=tone)
