"""What a panel shows: somebody or something in front of a scene, with what is said and heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo import scenes
from demo.ink import BLACK, WHITE, Board, Place, Points, ellipse, joined
from demo.lettering import balloon, latin_size, shout, sound, write_down, write_latin
from demo.people import Look, Person

Random = np.random.Generator
Words = tuple[str, ...]  # Latin text for a balloon, or characters: columns apart by "/"


@dataclass(frozen=True)
class Shot:
    """One panel of a script: how it is drawn, and its words."""

    draw: Callable[[Board, Random, Words], None]
    words: Words = ()


def street(board: Board, rng: Random, words: Words) -> None:
    scenes.street(board, rng)
    walker(board, board.width * 0.42, board.height * 0.93, board.height * 0.34)
    if words:
        caption(board, words[0], 0.03, 0.05)
    for text in words[1:]:
        speak(board, text, (0.80, 0.72), None)


def darkroom(board: Board, rng: Random, words: Words) -> None:
    scenes.darkroom(board, rng)
    if words:
        speak(board, words[0], (0.82, 0.46), None)


def machine(board: Board, rng: Random, words: Words) -> None:
    """The enlarger close by, its light going on."""
    board.screentone(None, 0.55, pitch=4.4)
    scenes.focus(board, rng, board.width * 0.5, board.height * 0.7, clear=0.36)
    scenes.enlarger(board, board.width * 0.52, board.height * 1.05, board.height * 0.92)
    for letters in words:
        sound(board, letters, board.width * 0.10, board.height * 0.14, _size(board) * 0.17)


def girl(board: Board, rng: Random, words: Words) -> None:
    """The girl, calm, against fading tone."""
    scenes.night(board, rng)
    _talks(board, rng, words, Look("bob", "calm", turn=-0.25), lean=0.05)


def girl_smiles(board: Board, rng: Random, words: Words) -> None:
    scenes.night(board, rng)
    _talks(board, rng, words, Look("bob", "smile", turn=0.3), lean=-0.07)


def girl_shocked(board: Board, rng: Random, words: Words) -> None:
    scenes.focus(board, rng, board.width * 0.5, board.height * 0.5)
    _talks(board, rng, words, Look("bob", "shock"), lean=0.0, loud=True)


def girl_dreams(board: Board, rng: Random, words: Words) -> None:
    scenes.unease(board, rng)
    _talks(board, rng, words, Look("bob", "closed", turn=0.2), lean=0.1)


def boy(board: Board, rng: Random, words: Words) -> None:
    scenes.night(board, rng)
    _talks(board, rng, words, Look("spiky", "calm", turn=0.4, hair_tone=WHITE), lean=-0.04)


def boy_shouts(board: Board, rng: Random, words: Words) -> None:
    scenes.focus(board, rng, board.width * 0.5, board.height * 0.5)
    _talks(board, rng, words, Look("spiky", "shout", turn=-0.2, hair_tone=WHITE), lean=0.08, loud=True)


def friend(board: Board, rng: Random, words: Words) -> None:
    board.screentone(None, 0.14)
    _talks(board, rng, words, Look("long", "smile", turn=-0.3, cloth=200), lean=0.06)


def eyes(board: Board, rng: Random, words: Words) -> None:
    """A strip with two eyes, larger than anything else on the page."""
    scenes.rush(board, rng)
    scale = max(board.width * 0.36, board.height * 0.75)
    place = Place(board.width * 0.5, board.height * 0.56 - 0.24 * scale, scale, -0.03)
    Person(board, place, Look("bob", "shout"), rng).draw(body=False)
    for letters in words:
        sound(board, letters, board.width * 0.84, board.height * 0.1, _size(board) * 0.3)


def mountains(board: Board, rng: Random, words: Words) -> None:
    scenes.mountains(board, rng)
    for letters in words[:1]:
        sound(board, letters, board.width * 0.72, board.height * 0.12, _size(board) * 0.17)
    for text in words[1:]:
        caption(board, text, 0.03, 0.04)


def runner(board: Board, rng: Random, words: Words) -> None:
    scenes.rush(board, rng)
    running(board, board.width * 0.46, board.height * 0.95, board.height * 0.82)
    for letters in words:
        sound(board, letters, board.width * 0.80, board.height * 0.12, _size(board) * 0.22)


def sea(board: Board, rng: Random, words: Words) -> None:
    scenes.sea(board, rng)
    for x, hair in ((0.40, 0.34), (0.55, 0.37)):
        walker(board, board.width * x, board.height * 1.02, board.height * hair)
    for text in words:
        caption(board, text, 0.03, 0.04)


# ---- words ----


def caption(board: Board, text: str, x: float, y: float) -> None:
    """A narrator's box; x and y are shares of the board."""
    size = board.unit * 11.5
    wide, tall = latin_size(text, size)
    left, top = board.width * x + 4, board.height * y + 4
    pad = size * 0.6
    box = [
        (left, top),
        (left + wide + 2 * pad, top),
        (left + wide + 2 * pad, top + tall + 2 * pad),
        (left, top + tall + 2 * pad),
    ]
    board.shape(box, width=1.5)
    write_latin(board, text, left + pad + wide / 2, top + pad + tall / 2, size)


def speak(
    board: Board, text: str, at: tuple[float, float], mouth: tuple[float, float] | None, *, loud: bool = False
) -> None:
    """A balloon around `at` (shares of the board), kept inside it, with its text."""
    rng = np.random.default_rng(len(text))
    wide, tall = _text_size(text, board.unit)
    rx, ry = wide * 0.70 + 9 * board.unit, tall * 0.70 + 9 * board.unit
    ry = max(ry, 0.5 * rx)
    x = float(
        np.clip(board.width * at[0], min(rx * 1.2, board.width / 2), max(board.width - rx * 1.2, board.width / 2))
    )
    y = float(
        np.clip(board.height * at[1], min(ry * 1.2, board.height / 2), max(board.height - ry * 1.2, board.height / 2))
    )
    if loud:
        shout(board, rng, x, y, rx * 0.96, ry * 0.96)
    else:
        balloon(board, x, y, rx, ry, mouth)
    if text.isascii():
        write_latin(board, text, x, y, 12.5 * board.unit)
    else:
        write_down(board, text, x + wide / 2, y - tall / 2, 17 * board.unit, weight=1.5 if loud else 1.0)


def _text_size(text: str, unit: float) -> tuple[float, float]:
    if text.isascii():
        return latin_size(text, 12.5 * unit)
    columns = text.split("/")
    return len(columns) * 19 * unit, max(map(len, columns)) * 18 * unit


def _talks(board: Board, rng: Random, words: Words, look: Look, *, lean: float, loud: bool = False) -> None:
    """Somebody, and balloons on the side that the face leaves free."""
    w, h = board.width, board.height
    scale = min(w * 0.25, h * 0.27)
    free = 1 if look.turn >= 0 else -1
    x, y = w * (0.5 - 0.13 * free * (w > h * 0.8)), h * 0.46
    Person(board, Place(x, y, scale, lean), look, rng).draw()
    spots = [(0.5 + 0.33 * free, 0.2), (0.5 - 0.34 * free, 0.82)]
    for text, spot in zip(words, spots, strict=False):
        aim = (x + free * scale * 1.25, y + scale * 0.75) if spot[1] < 0.5 else None
        speak(board, text, spot, aim, loud=loud)


def _size(board: Board) -> float:
    return float(min(board.width, board.height * 1.2))


# ---- small figures ----


def walker(board: Board, x: float, foot: float, tall: float) -> None:
    """Somebody seen from behind, coat and long shadow."""

    def at(points: object) -> Points:
        return np.asarray(points, dtype=float).reshape(-1, 2) * tall + [x, foot]

    board.fill(at([(-0.08, 0), (0.1, 0), (0.42, 0.16), (0.30, 0.18)]), BLACK)
    for side in (-1, 1):
        board.shape(at([(side * 0.02, -0.36), (side * 0.1, -0.36), (side * 0.09, 0), (side * 0.03, 0)]), tone=BLACK)
    coat = at(
        [
            (-0.06, -0.80),
            (-0.16, -0.74),
            (-0.19, -0.42),
            (-0.15, -0.24),
            (0.15, -0.24),
            (0.19, -0.42),
            (0.16, -0.74),
            (0.06, -0.80),
        ]
    )
    board.shape(coat, width=1.5)
    board.screentone(board.mask(coat), 0.4, pitch=3.8)
    board.stroke(at([(0, -0.74), (0.01, -0.5), (0, -0.26)]), 1.1)
    for side in (-1, 1):
        board.stroke(at([(side * 0.11, -0.7), (side * 0.12, -0.5), (side * 0.11, -0.38)]), 1.1)
    board.shape(
        at(
            joined(
                [
                    ellipse(0, -0.88, 0.105, 0.125, 170, 370),
                    [(0.11, -0.76), (0.04, -0.79), (0, -0.75), (-0.05, -0.79), (-0.11, -0.76)],
                ]
            )
        ),
        tone=BLACK,
    )
    for i in range(-2, 3):
        board.stroke(at([(i * 0.02, -0.985), (i * 0.035, -0.93), (i * 0.04, -0.88)]), 0.7, tone=WHITE)


def running(board: Board, x: float, foot: float, tall: float) -> None:
    """Somebody at full speed, leaning forwards."""

    def at(points: object) -> Points:
        return np.asarray(points, dtype=float).reshape(-1, 2) * tall + [x, foot]

    for leg in (
        [
            (-0.02, -0.48),
            (0.1, -0.44),
            (0.26, -0.26),
            (0.2, -0.04),
            (0.3, 0.0),
            (0.12, 0.01),
            (0.15, -0.22),
            (0.0, -0.34),
        ],
        [(-0.1, -0.48), (0.04, -0.44), (-0.12, -0.24), (-0.36, -0.18), (-0.38, -0.06), (-0.44, -0.2), (-0.2, -0.3)],
    ):
        board.shape(at(leg), tone=BLACK, width=1.6)
    coat = at(
        [
            (0.12, -0.84),
            (-0.02, -0.80),
            (-0.12, -0.6),
            (-0.34, -0.42),
            (-0.22, -0.40),
            (-0.26, -0.30),
            (-0.04, -0.40),
            (0.12, -0.40),
            (0.22, -0.66),
            (0.2, -0.82),
        ]
    )
    board.shape(coat, width=1.8)
    board.screentone(board.mask(coat), 0.34)
    for arm in (
        [(0.14, -0.76), (0.28, -0.58), (0.42, -0.68), (0.46, -0.64), (0.29, -0.48), (0.1, -0.66)],
        [(-0.02, -0.76), (-0.24, -0.70), (-0.3, -0.52), (-0.25, -0.5), (-0.19, -0.64), (-0.02, -0.66)],
    ):
        board.shape(at(arm), width=1.7)
    Person(
        board,
        Place(x + 0.20 * tall, foot - 0.93 * tall, 0.095 * tall, 0.2),
        Look("spiky", "shout", 0.9, hair_tone=WHITE),
        np.random.default_rng(5),
    ).draw(body=False)
    for i in range(7):
        y = -0.1 - 0.11 * i
        board.stroke(at([(-0.55 - 0.05 * (i % 3), y), (-0.25, y)]), 1.3, taper="start")
