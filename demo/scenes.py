"""Places for panels: a street at night, a darkroom with its enlarger, mountains, the sea, and drawn emotion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demo.ink import BLACK, WHITE, Board, Field, Points, ellipse, joined, ramp, smooth

Random = np.random.Generator


def street(board: Board, rng: Random) -> None:
    """A street in one-point perspective under a moon, with lit windows, poles and wires."""
    w, h = board.width, board.height
    board.screentone(None, ramp(0.78, 0.03), pitch=4.2)
    _moon(board, w * 0.52, h * 0.2, min(w, h) * 0.1)
    see = _camera(w * 0.5, h * 0.62, min(w, h) * 0.5)
    board.fill([(0, h), (w, h), (w * 0.5, h * 0.62), (0, h)], WHITE)
    for side in (-1, 1):
        for z0, z1, top in ((6.0, 9.0, 2.3), (4.0, 6.0, 3.1), (2.4, 4.0, 2.1), (0.55, 2.4, 2.6)):
            _facade(board, rng, see, side, z0, z1, top)
    _road(board, see)
    for z in (1.25, 2.2, 3.6):
        _pole(board, see, z)


def _camera(x: float, y: float, focal: float) -> Callable[..., Points]:
    def see(*points: tuple[float, float, float]) -> Points:
        p = np.asarray(points, dtype=float)
        return np.column_stack([x + focal * p[:, 0] / p[:, 2], y + focal * p[:, 1] / p[:, 2]])

    return see


def _facade(board: Board, rng: Random, see: Callable[..., Points], side: int, z0: float, z1: float, top: float) -> None:
    x, ground = side * 1.15, 0.62

    def wall(za: float, zb: float, low: float, high: float) -> Points:
        return see((x, low, za), (x, low, zb), (x, high, zb), (x, high, za))

    board.shape(wall(z0, z1, ground, -top), width=1.6)
    if side > 0:
        board.screentone(board.mask(wall(z0, z1, ground, -top)), 0.30)
    else:
        board.hatch(board.mask(wall(z0, z1, ground, -top)), 0.16, pitch=4.4, angle=80)
    floors, bays = int((top + ground) / 0.42), max(2, int((z1 - z0) / 0.36))
    for floor in range(floors):
        y = -top + 0.16 + floor * 0.42
        for bay in range(bays):
            a = z0 + (z1 - z0) * (bay + 0.2) / bays
            b = z0 + (z1 - z0) * (bay + 0.8) / bays
            board.shape(wall(a, b, y + 0.24, y), tone=BLACK if rng.random() < 0.6 else WHITE, width=0.9)
            board.line(see((x, y + 0.27, a), (x, y + 0.27, b)), 1.0)
    board.line(see((x, -top - 0.05, z0), (x, -top - 0.05, z1)), 2.2)


def _road(board: Board, see: Callable[..., Points]) -> None:
    for x in (-1.15, -0.8, 0.8, 1.15):
        board.line(see((x, 0.62, 0.8), (x, 0.62, 12)), 1.3)
    for z in np.arange(0.9, 6, 0.55):
        board.shape(see((-0.05, 0.62, z), (0.05, 0.62, z), (0.05, 0.62, z + 0.3), (-0.05, 0.62, z + 0.3)), width=0.8)
    verge = see((-0.8, 0.62, 0.8), (0.8, 0.62, 0.8), (0.8, 0.62, 9), (-0.8, 0.62, 9))
    board.hatch(board.mask(verge), 0.13, pitch=5.2, angle=4)
    for side in (-1, 1):
        walk = see((side * 0.8, 0.62, 0.8), (side * 1.15, 0.62, 0.8), (side * 1.15, 0.62, 9), (side * 0.8, 0.62, 9))
        board.fill(walk, WHITE)
        for z in np.arange(0.9, 7, 0.3):
            board.line(see((side * 0.8, 0.62, z), (side * 1.15, 0.62, z)), 0.7)


def _pole(board: Board, see: Callable[..., Points], z: float) -> None:
    board.shape(see((0.86, 0.62, z), (0.92, 0.62, z), (0.91, -1.6, z), (0.87, -1.6, z)), tone=BLACK, width=1)
    for y in (-1.5, -1.3):
        board.line(see((0.66, y, z), (1.12, y, z)), 2.4 / z + 0.6)
        for x in (0.68, 0.80, 0.99, 1.10):
            board.stroke(see((x, y, z), (x, y + 0.22, z * 1.28), (x, y, z * 1.72)), 0.9, taper="none")


def _moon(board: Board, x: float, y: float, radius: float) -> None:
    board.fill(ellipse(x, y, radius * 1.22, radius * 1.22), WHITE)
    board.shape(ellipse(x, y, radius, radius), width=1.2)
    for dx, dy, r in ((-0.3, -0.2, 0.22), (0.25, 0.2, 0.3), (0.2, -0.45, 0.14), (-0.35, 0.4, 0.16)):
        board.screentone(board.mask(ellipse(x + dx * radius, y + dy * radius, r * radius, r * radius)), 0.18, pitch=3.4)


def darkroom(board: Board, rng: Random) -> None:
    """The room the project is named after: an enlarger throwing light on paper, trays, prints on a line."""
    w, h = board.width, board.height
    board.screentone(None, lambda x, y: 0.72 - 0.55 * np.exp(-((x - 0.42) ** 2 * 9 + (y - 0.62) ** 2 * 5)), pitch=4.4)
    s = min(w, h * 1.1)
    bench_y = h * 0.80
    board.shape([(0, bench_y), (w, bench_y), (w, h), (0, h)], width=2.0)
    for i in range(7):
        y = bench_y + (h - bench_y) * ((i + 1) / 7) ** 1.6
        board.stroke([(0, y), (w * 0.5, y + rng.uniform(-2, 2)), (w, y)], 0.8, taper="none")
    _prints(board, rng, w, h)
    _trays(board, w, bench_y, s)
    enlarger(board, w * 0.42, bench_y, min(s, h * 0.92) * 0.62)


def enlarger(board: Board, x: float, foot: float, tall: float) -> None:
    """The machine: baseboard, column, lamp house, bellows, lens and its cone of light."""

    def at(points: object) -> Points:
        return np.asarray(points, dtype=float).reshape(-1, 2) * tall + [x, foot]

    cone = at([(-0.04, -0.5), (0.04, -0.5), (0.3, -0.045), (-0.3, -0.045)])
    board.fill(cone, WHITE)
    board.screentone(board.mask(cone), ramp(0.0, 0.16), pitch=3.6)
    board.shape(at([(-0.42, -0.04), (0.36, -0.04), (0.42, 0.03), (-0.48, 0.03)]), width=2.0)
    board.shape(at([(-0.26, -0.055), (0.24, -0.055), (0.28, -0.03), (-0.30, -0.03)]), width=1.2)
    board.shape(at([(-0.40, -0.04), (-0.35, -0.04), (-0.22, -1.12), (-0.27, -1.12)]), tone=70, width=1.8)
    for i in range(14):
        t = i / 14
        board.line(at([(-0.388 + 0.128 * t, -0.12 - t), (-0.355 + 0.128 * t, -0.12 - t)]), 0.8, tone=WHITE)
    board.shape(at([(-0.33, -0.80), (-0.12, -0.84), (-0.12, -0.72), (-0.33, -0.68)]), width=1.8)
    _lamp_house(board, at)
    for i in range(5):
        y = -0.66 + i * 0.026
        r = 0.115 - 0.012 * i
        board.shape(
            at([(-r, y), (r, y), (r - 0.02, y + 0.026), (-r + 0.02, y + 0.026)]), tone=60 if i % 2 else 140, width=1.2
        )
    board.shape(at([(-0.06, -0.53), (0.06, -0.53), (0.05, -0.47), (-0.05, -0.47)]), width=1.6)
    board.shape(at(ellipse(-0.31, -0.76, 0.05, 0.05)), width=1.8)
    board.shape(at(ellipse(-0.31, -0.76, 0.02, 0.02)), tone=BLACK, width=1.0)


def _lamp_house(board: Board, at: Callable[[object], Points]) -> None:
    dome = joined(
        [ellipse(0, -0.95, 0.155, 0.17, 180, 360), [(0.155, -0.74), (0.125, -0.67), (-0.125, -0.67), (-0.155, -0.74)]]
    )
    board.shape(at(dome), width=2.2)
    board.screentone(
        board.mask(
            at(joined([dome[:0], [(0.03, -1.1), (0.155, -0.95), (0.155, -0.74), (0.125, -0.67), (0.0, -0.67)]]))
        ),
        0.42,
        pitch=3.6,
    )
    for y in (-0.95, -0.925, -0.90):
        board.line(at([(-0.11, y), (0.11, y)]), 1.4)
    board.line(at([(-0.155, -0.76), (0.155, -0.76)]), 1.8)
    board.shape(at([(-0.18, -0.70), (0.18, -0.70), (0.18, -0.68), (-0.18, -0.68)]), tone=BLACK, width=1)
    board.stroke(at([(0.0, -1.12), (0.05, -1.24), (0.22, -1.22), (0.36, -1.4)]), 2.0, taper="none")
    board.stroke(at([(-0.09, -1.02), (-0.12, -0.93), (-0.12, -0.8)]), 1.8, tone=BLACK)


def _prints(board: Board, rng: Random, w: float, h: float) -> None:
    board.stroke([(0, h * 0.1), (w * 0.5, h * 0.16), (w, h * 0.08)], 1.4, taper="none")
    for i, x in enumerate(np.linspace(0.06, 0.94, 6) * w):
        y = h * (0.1 + 0.055 * np.sin(np.pi * x / w))
        pw, ph, lean = w * 0.10, h * 0.17, rng.uniform(-5, 5)
        frame = np.array([(x - pw / 2, y), (x + pw / 2, y), (x + pw / 2 + lean, y + ph), (x - pw / 2 + lean, y + ph)])
        board.shape(frame, width=1.4)
        inner = frame.mean(axis=0) + (frame - frame.mean(axis=0)) * 0.8
        board.screentone(board.mask(inner), 0.15 + 0.1 * (i % 4), pitch=3.4)
        hill = smooth(
            [inner[3], inner[3] * 0.6 + inner[0] * 0.4, inner.mean(axis=0), inner[2] * 0.7 + inner[1] * 0.3, inner[2]]
        )
        board.fill(hill, BLACK if i % 2 else WHITE)
        board.line(inner, 0.9, closed=True)
        board.shape([(x - 2, y - 5), (x + 2, y - 5), (x + 2, y + 5), (x - 2, y + 5)], width=1.0)


def _trays(board: Board, w: float, y: float, s: float) -> None:
    for i in range(2):
        x = w * (0.70 + 0.17 * i)
        d = s * 0.11
        board.shape(
            [(x - d, y + 4), (x + d, y + 4), (x + d * 0.86, y + d * 0.55), (x - d * 0.86, y + d * 0.55)], width=1.6
        )
        board.shape(ellipse(x, y + 4, d, d * 0.2), width=1.6)
        board.screentone(board.mask(ellipse(x, y + 5, d * 0.88, d * 0.14)), 0.4, pitch=3.4)


def mountains(board: Board, rng: Random) -> None:
    """Three ranges with hatched shadows, cloud banks and pines."""
    w, h = board.width, board.height
    board.screentone(None, ramp(0.42, -0.2), pitch=4.6)
    _clouds(board, rng, h * 0.24)
    for layer, (base, rough) in enumerate(((0.46, 0.24), (0.62, 0.2), (0.8, 0.13))):
        _range(board, rng, h * base, h * rough, layer)
    for x in np.sort(rng.uniform(0, w, 13)):
        _pine(board, rng, x, h * rng.uniform(0.93, 1.04), h * rng.uniform(0.16, 0.3))


def _range(board: Board, rng: Random, base: float, rough: float, layer: int) -> None:
    w, h = board.width, board.height
    ridge = base + _fractal(rng, 7) * rough
    x = np.linspace(0, w, len(ridge))
    outline = np.column_stack([x, ridge])
    board.fill(joined([outline, [(w, h), (0, h)]]), WHITE)
    board.line(outline, 2.0 - 0.3 * layer)
    for i in range(2, len(ridge) - 2):
        if ridge[i] <= min(ridge[i - 2 : i + 3]) + 0.5:  # a summit: shadow falls to its right
            side = [
                (x[i], ridge[i]),
                (x[i] + rough * 0.55, ridge[i] + rough * 1.1),
                (x[i] + rough * 0.1, ridge[i] + rough * 1.25),
                (x[i] + rough * 0.16, ridge[i] + rough * 0.5),
            ]
            board.hatch(board.mask(side), 0.5, pitch=4.2, angle=62)
    for _ in range(26):
        i = int(rng.integers(2, len(ridge) - 2))
        drop = rough * rng.uniform(0.2, 0.7)
        board.stroke(
            [(x[i], ridge[i] + 4), (x[i] + drop * 0.2, ridge[i] + drop * 0.6), (x[i] + drop * 0.5, ridge[i] + drop)],
            0.9,
            taper="end",
        )


def _fractal(rng: Random, levels: int) -> Points:
    line, size = rng.uniform(-0.4, 0.4, 4), 0.75
    for _ in range(levels - 1):
        middle = (line[1:] + line[:-1]) / 2 + rng.uniform(-1, 1, len(line) - 1) * size * 0.5
        line = np.insert(line, np.arange(1, len(line)), middle)
        size *= 0.52
    return line


def _pine(board: Board, rng: Random, x: float, foot: float, tall: float) -> None:
    left = [(x - tall * 0.2 * (i / 7) * rng.uniform(0.7, 1.1), foot - tall * (1 - i / 7)) for i in range(1, 8)]
    teeth = joined([[(x, foot - tall)], *[[p, (x + (p[0] - x) * 0.55, p[1] - tall * 0.02)] for p in left]])
    board.fill(joined([teeth, (teeth * [-1, 1] + [2 * x, 0])[::-1]]), BLACK)


def _clouds(board: Board, rng: Random, y: float) -> None:
    for _ in range(5):
        cx, cy, size = rng.uniform(0, board.width), y * rng.uniform(0.3, 1.3), board.height * rng.uniform(0.06, 0.11)
        puffs = [
            (cx + (i - 2.5) * size * 0.85, cy - size * rng.uniform(0.1, 0.6), size * rng.uniform(0.6, 1.0))
            for i in range(6)
        ]
        for px, py, r in puffs:
            board.shape(ellipse(px, py, r, r * 0.8), width=1.4)
        for px, py, r in puffs:
            board.fill(ellipse(px, py + 1, r * 0.94, r * 0.74), WHITE)
        board.fill(
            [
                (cx - size * 3, cy),
                (cx + size * 3, cy),
                (cx + size * 2.4, cy + size * 0.6),
                (cx - size * 2.4, cy + size * 0.6),
            ],
            WHITE,
        )
        for px, py, r in puffs[::2]:
            board.stroke(ellipse(px, py, r * 0.6, r * 0.45, 20, 110), 0.8)


def sea(board: Board, rng: Random) -> None:
    """The moon over water, its light broken by waves."""
    w, h = board.width, board.height
    horizon = h * 0.52
    board.fill([(0, 0), (w, 0), (w, horizon), (0, horizon)], BLACK)
    for _ in range(70):
        x, y, r = rng.uniform(0, w), rng.uniform(0, horizon), rng.exponential(0.6) + 0.4
        board.fill(ellipse(x, y, r, r), WHITE)
    _moon(board, w * 0.5, h * 0.24, min(w, h) * 0.13)
    board.screentone(
        board.mask([(0, horizon), (w, horizon), (w, h), (0, h)]),
        lambda x, y: 0.15 + 0.5 * np.abs(x - 0.5) + 0.2 * y,
        pitch=4.2,
    )
    for _ in range(150):
        depth = rng.uniform(0, 1) ** 1.6
        y = horizon + 3 + depth * (h - horizon)
        x = w * (0.5 + rng.normal(0, 0.05 + 0.14 * depth))
        length = w * (0.02 + 0.1 * depth) * rng.uniform(0.5, 1.4)
        board.stroke([(x - length, y), (x, y + 2 * depth), (x + length, y)], 1.0 + 2.6 * depth, tone=WHITE)
        board.stroke([(x - length, y + 3 + 3 * depth), (x + length, y + 3 + 3 * depth)], 0.7 + depth)


def focus(board: Board, rng: Random, x: float, y: float, *, clear: float = 0.30, count: int = 260) -> None:
    """Lines that rush at one point, as drawn around a shock; `clear` is the empty share around it."""
    reach = np.hypot(board.width, board.height)
    inner = clear * min(board.width, board.height)
    for angle in rng.uniform(0, 2 * np.pi, count):
        start = inner * rng.uniform(1.0, 1.55)
        way = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-way[1], way[0]]) * rng.exponential(2.8) * board.unit
        far = np.array([x, y]) + way * reach
        board.fill(np.array([way * start + [x, y], far + side * 2.4, far - side * 2.4]), BLACK)


def rush(board: Board, rng: Random, *, count: int = 90) -> None:
    """Level speed lines over a toned ground."""
    board.screentone(None, ramp(0.1, 0.4, across=True))
    for y in rng.uniform(0, board.height, count):
        x, length = rng.uniform(-0.3, 0.8) * board.width, rng.uniform(0.3, 0.9) * board.width
        thick = rng.exponential(1.1) * board.unit + 0.4
        tone = WHITE if rng.random() < 0.4 else BLACK
        board.fill([(x, y), (x + length, y - thick), (x + length * 1.05, y), (x + length, y + thick)], tone)


def night(board: Board, rng: Random) -> None:
    """A quiet ground for a face: tone that fades, and a few sparkles."""
    board.screentone(None, ramp(0.62, 0.05), pitch=4.6)
    for _ in range(9):
        x, y, r = rng.uniform(0, board.width), rng.uniform(0, board.height * 0.6), rng.uniform(3, 11) * board.unit
        board.fill(
            [
                (x, y - r),
                (x + r * 0.14, y - r * 0.14),
                (x + r, y),
                (x + r * 0.14, y + r * 0.14),
                (x, y + r),
                (x - r * 0.14, y + r * 0.14),
                (x - r, y),
                (x - r * 0.14, y - r * 0.14),
            ],
            WHITE,
        )


def unease(board: Board, rng: Random) -> None:
    """Crossed hatching from the edges, for doubt."""

    def vignette(x: Field, y: Field) -> Field:
        edge: Field = np.float32(0.75) * np.clip(np.hypot(x - 0.5, y - 0.5) * 1.8 - 0.35, 0, 1)
        return edge

    for angle in (35.0, 80.0, 125.0):
        board.hatch(None, vignette, pitch=5.0 + rng.uniform(-0.3, 0.3), angle=angle)
