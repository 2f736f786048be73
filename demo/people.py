"""People in the manner of manga: heads with hair, eyes and expressions, on shoulders with a collar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.ink import BLACK, WHITE, Board, Place, Points, Tone, ellipse, joined, shaded, smooth

# All coordinates are in half-widths of the face; the point between the eyes and nose is the origin.


@dataclass(frozen=True)
class Look:
    """Who it is and what the face says; tones are grey on paper, colours on a cover."""

    hair: str = "bob"  # "bob", "long" or "spiky"
    expression: str = "calm"  # "calm", "smile", "shout", "shock" or "closed"
    turn: float = 0.0  # -1 looks left, 1 looks right
    skin: Tone = WHITE
    hair_tone: Tone = BLACK
    shine: Tone = WHITE
    iris: Tone = BLACK
    cloth: Tone = WHITE
    shirt: Tone = WHITE
    tie: Tone = BLACK


class Person:
    """One person on one board: `at` places the face, its scale is half the face's width in px."""

    def __init__(self, board: Board, at: Place, look: Look, rng: np.random.Generator) -> None:
        self.board, self.at, self.look, self.rng = board, at, look, rng
        self.pen = float(np.clip(at.scale * 0.030 / board.unit, 0.9, 5.0))

    def draw(self, *, body: bool = True) -> None:
        """Back to front: hair behind, body, face, features, hair in front."""
        self._hair_behind()
        if body:
            self._body()
        self._face()
        for side in (-1, 1):
            self._eye(side)
            self._brow(side)
        self._nose_and_mouth()
        self._hair_in_front()

    # ---- strokes in the face's coordinates ----

    def stroke(self, points: object, width: float = 1.0, taper: str = "both", tone: Tone = BLACK) -> None:
        self.board.stroke(self.at(np.asarray(points)), self.pen * width, taper=taper, tone=tone)

    def fill(self, points: object, tone: Tone) -> None:
        self.board.fill(self.at(np.asarray(points)), tone)

    def shape(self, points: object, tone: Tone, width: float = 1.0) -> None:
        self.board.shape(self.at(np.asarray(points)), tone=tone, width=self.pen * width)

    # ---- head ----

    def _face(self) -> None:
        t = self.look.turn * 0.12
        jaw = smooth([(1.0, -0.1), (0.97, 0.3), (0.83 + t, 0.68), (0.45 + t, 1.05), (0.06 + t, 1.24)])
        other = smooth(
            [(0.06 + t, 1.24), (-0.1 + t, 1.24), (-0.45 + t, 1.05), (-0.83 + t, 0.68), (-0.97, 0.3), (-1.0, -0.1)]
        )
        skull = ellipse(0, -0.1, 1.0, 1.05, 180, 360)
        for side in (-1, 1):
            self.shape(ellipse(side * 1.0, 0.3, 0.15, 0.26), self.look.skin, 0.9)
        self.fill(joined([skull, jaw, other]), self.look.skin)
        self.stroke(joined([jaw, other])[::4], 1.35, "none")
        if self.look.expression in ("smile", "shock", "shout"):
            self._blush()

    def _blush(self) -> None:
        tone = BLACK if isinstance(self.look.skin, int) else shaded(self.look.tie, 1.15)
        for side in (-1, 1):
            for i in range(4):
                x = side * 0.62 + (i - 1.5) * 0.09 + self.look.turn * 0.2
                self.stroke([(x + 0.03, 0.58), (x - 0.03, 0.70)], 0.5, "none", tone)

    def _eye(self, side: int) -> None:
        x, wide = self._eye_place(side)
        outer = side * wide
        if self.look.expression == "closed":
            self.stroke([(x - outer * 0.5, 0.3), (x, 0.42), (x + outer * 0.6, 0.26)], 2.6)
            self.stroke([(x + outer * 0.3, 0.38), (x + outer * 0.55, 0.47)], 1.2, "end")
            return
        opened = {"shock": 1.2, "shout": 1.12}.get(self.look.expression, 1.0)
        lid = smooth([(-0.5, 0.1), (-0.3, -0.32), (0.05, -0.5), (0.4, -0.3), (0.56, 0.12)])
        floor = smooth([(0.56, 0.12), (0.38, 0.44), (0.0, 0.52), (-0.34, 0.42), (-0.5, 0.1)])
        shift = np.array([x, 0.24])
        size = np.array([outer, 0.56 * opened])
        self.fill(joined([lid, floor]) * size + shift, WHITE)
        self._iris(x, 0.24, abs(wide), lid, size, shift)
        self._lashes(lid, floor, size, shift)

    def _eye_place(self, side: int) -> tuple[float, float]:
        turn = self.look.turn
        return side * 0.45 + turn * 0.24, 0.56 * (1 - 0.22 * max(0.0, side * turn))

    def _iris(self, x: float, y: float, wide: float, lid: Points, size: Points, shift: Points) -> None:
        shock = 0.62 if self.look.expression == "shock" else 1.0
        rx, ry = 0.29 * wide * shock, 0.30 * shock
        x += self.look.turn * 0.05
        lid = lid * size + shift
        lid = lid[np.argsort(lid[:, 0])]

        def under_lid(points: Points) -> Points:
            return np.column_stack([points[:, 0], np.maximum(points[:, 1], np.interp(points[:, 0], *lid.T))])

        self.fill(under_lid(ellipse(x, y, rx * 1.12, ry * 1.08)), BLACK)
        self.fill(under_lid(ellipse(x, y + 0.03, rx * 0.92, ry * 0.92)), self.look.iris)
        self.fill(ellipse(x, y + ry * 0.52, rx * 0.7, ry * 0.36), self._lighter())
        self.fill(under_lid(ellipse(x, y - 0.02, rx * 0.5, ry * 0.55)), BLACK)
        self.fill(ellipse(x - rx * 0.42, y - ry * 0.40, rx * 0.40, ry * 0.30), WHITE)
        self.fill(ellipse(x + rx * 0.42, y + ry * 0.45, rx * 0.2, ry * 0.16), WHITE)

    def _lighter(self) -> Tone:
        return 150 if self.look.iris == BLACK else shaded(self.look.iris, 1.9)

    def _lashes(self, lid: Points, floor: Points, size: Points, shift: Points) -> None:
        self.stroke(lid[::4] * size + shift, 3.4, "start")
        flick = np.array([(0.40, -0.28), (0.58, 0.08), (0.78, -0.02)])
        self.stroke(flick * size + shift, 2.4, "end")
        self.stroke(np.array([(0.3, -0.42), (0.62, -0.22), (0.74, -0.3)]) * size + shift, 1.2, "end")
        self.stroke(floor[2:24:4] * size + shift, 1.0)
        self.stroke((lid[6:32:5] - [0, 0.24]) * size + shift, 0.8)

    def _brow(self, side: int) -> None:
        x, wide = self._eye_place(side)
        inner, outer = {"shout": (0.12, -0.12), "shock": (-0.14, 0.02), "smile": (-0.06, 0.04)}.get(
            self.look.expression, (0.0, 0.0)
        )
        s = side * wide
        self.stroke([(x - s * 0.55, -0.24 + inner), (x, -0.36), (x + s * 0.7, -0.22 + outer)], 2.0, "end")

    def _nose_and_mouth(self) -> None:
        x = self.look.turn * 0.30
        self.stroke([(x + 0.02, 0.5), (x + 0.07, 0.64), (x - 0.01, 0.67)], 0.9, "start")
        mouth = {"smile": self._mouth_open, "shout": self._mouth_shout, "shock": self._mouth_small}
        mouth.get(self.look.expression, self._mouth_calm)(self.look.turn * 0.24)
        self.stroke([(x - 0.06, 1.06), (x + 0.06, 1.06)], 0.6)

    def _mouth_calm(self, x: float) -> None:
        self.stroke([(x - 0.2, 0.88), (x - 0.02, 0.905), (x + 0.2, 0.87)], 1.3)

    def _mouth_open(self, x: float) -> None:
        top = smooth([(x - 0.28, 0.82), (x, 0.87), (x + 0.28, 0.82)])
        bottom = smooth([(x + 0.28, 0.82), (x + 0.12, 1.0), (x - 0.12, 1.0), (x - 0.28, 0.82)])
        self.shape(joined([top, bottom]), self._inside(), 1.0)
        self.fill(ellipse(x, 0.97, 0.11, 0.035), WHITE)

    def _mouth_shout(self, x: float) -> None:
        self.shape(
            smooth(
                [
                    (x - 0.26, 0.8),
                    (x, 0.75),
                    (x + 0.26, 0.8),
                    (x + 0.22, 1.06),
                    (x, 1.12),
                    (x - 0.22, 1.06),
                    (x - 0.26, 0.8),
                ]
            ),
            self._inside(),
            1.2,
        )
        self.fill([(x - 0.2, 0.815), (x, 0.785), (x + 0.2, 0.815), (x + 0.16, 0.86), (x - 0.16, 0.86)], WHITE)

    def _mouth_small(self, x: float) -> None:
        self.shape(ellipse(x, 0.92, 0.09, 0.1), self._inside(), 1.0)

    def _inside(self) -> Tone:
        return BLACK if isinstance(self.look.skin, int) else (150, 50, 60)

    # ---- hair ----

    def _hair_behind(self) -> None:
        if self.look.hair == "spiky":
            self.shape(self._spikes(), self.look.hair_tone, 1.2)
            return
        low = 2.9 if self.look.hair == "long" else 1.25
        left = smooth([(0, -1.42), (-0.75, -1.2), (-1.2, -0.45), (-1.28, 0.4), (-1.22 - 0.06 * low, low)])
        tips = [(x, low + dy) for x, dy in zip(np.linspace(-1.1, 1.1, 9), [-0.25, 0.1] * 4 + [-0.25], strict=True)]
        right = smooth([(1.22 + 0.06 * low, low), (1.28, 0.4), (1.2, -0.45), (0.75, -1.2), (0, -1.42)])
        self.shape(joined([left, tips, right]), self.look.hair_tone, 1.2)

    def _spikes(self) -> Points:
        angles = np.linspace(150, 390, 19)
        tips = np.arange(len(angles)) % 2 == 1
        radius = np.where(tips, self.rng.uniform(1.5, 1.72, len(angles)), 1.2)
        t = np.radians(angles + np.where(tips, self.rng.uniform(2, 14, len(angles)), 0))
        corners = np.column_stack([radius * np.cos(t), -0.2 + radius * np.sin(t)])
        middles = (corners[1:] + corners[:-1]) / 2 * 1.05  # the sides of a tuft swell outwards
        return np.vstack([x for pair in zip(corners, middles, strict=False) for x in pair] + [corners[-1]])

    def _hair_in_front(self) -> None:
        fringe = self._fringe()
        if self.look.hair == "spiky":
            crown = smooth([(-1.08, 0), (-1.04, -0.5), (-0.6, -1.06), (0, -1.2), (0.6, -1.06), (1.04, -0.5), (1.08, 0)])
            self.fill(joined([crown, fringe]), self.look.hair_tone)
            self.board.line(self.at(fringe), self.pen * 1.2)
            self._strands()
            return
        crown = smooth(
            [(-1.13, 0.05), (-1.12, -0.55), (-0.72, -1.18), (0, -1.42), (0.72, -1.18), (1.12, -0.55), (1.13, 0.05)]
        )
        self.shape(joined([crown, fringe]), self.look.hair_tone, 1.2)
        self._strands()
        self._ring()

    def _fringe(self) -> Points:
        """Tufts from the right temple to the left, each two curves meeting in a point."""
        tips = [(1.04, 0.72), (0.72, 0.12), (0.36, -0.02), (0.08, 0.1), (-0.3, 0.0), (-0.66, 0.14), (-1.04, 0.72)]
        roots = [(0.86, -0.2), (0.55, -0.36), (0.24, -0.44), (-0.1, -0.46), (-0.45, -0.38), (-0.84, -0.2)]
        jitter = self.rng.uniform(-0.05, 0.05, (len(tips), 2))
        outline = [np.array([[1.13, 0.05]])]
        for i, (x, y) in enumerate(np.asarray(tips) + jitter):
            outline.append(np.array([[x, y]]))
            if i < len(roots):
                rx, ry = roots[i]
                nx, ny = np.asarray(tips[i + 1]) + jitter[i + 1]
                outline.append(smooth([(x, y), (x + (rx - x) * 0.45, (y + ry) / 2 - 0.02), (rx, ry)], 6))
                outline.append(smooth([(rx, ry), (nx + (rx - nx) * 0.25, (ny + ry) / 2), (nx, ny)], 6))
        return joined(outline)

    def _strands(self) -> None:
        tone = self.look.shine if self.look.hair_tone == BLACK else BLACK
        for x in np.linspace(-0.95, 0.95, 17):
            x += self.rng.uniform(-0.04, 0.04)
            end = -0.32 - 0.25 * (1 - abs(x)) + self.rng.uniform(-0.12, 0.2) + abs(x) * 0.3
            start = (x * 0.22 + 0.05, -1.28 + 0.1 * abs(x))
            self.stroke([start, (x * 0.8, -0.95 + 0.25 * x * x), (x, end)], 0.45, tone=tone)

    def _ring(self) -> None:
        """The band of light that runs round drawn hair."""
        for x in np.linspace(-0.86, 0.86, 21):
            y = -0.86 + 0.42 * x * x
            length = self.rng.uniform(0.08, 0.26) * (1 - 0.5 * abs(x))
            self.stroke([(x, y - length), (x * 1.03, y), (x * 1.06, y + length)], 1.7, tone=self.look.shine)

    # ---- body ----

    def _body(self) -> None:
        look = self.look
        self.shape([(-0.36, 0.8), (-0.4, 1.5), (-0.9, 1.85), (0.9, 1.85), (0.4, 1.5), (0.36, 0.8)], look.skin)
        left = smooth([(-0.42, 1.52), (-1.0, 1.78), (-1.75, 2.02), (-2.15, 2.6), (-2.4, 4.2)])
        coat = joined([left, [(2.4, 4.2)], left[::-1] * [-1, 1]])
        self.shape(coat, look.cloth, 1.2)
        if look.cloth == WHITE:
            self.board.screentone(self.board.mask(self.at(coat)), 0.34)
        self.shape([(-0.42, 1.5), (0.0, 2.75), (0.42, 1.5), (0.0, 1.78)], look.shirt)
        for side in (-1, 1):
            self.shape([(side * 0.42, 1.44), (side * 0.7, 1.74), (side * 0.28, 2.3), (0, 1.8)], look.shirt)
            self.shape(
                [(side * 0.62, 1.66), (side * 1.0, 2.2), (side * 0.55, 2.35), (side * 0.08, 3.6), (side * 0.3, 2.3)],
                look.cloth,
            )
        self.shape([(-0.12, 1.84), (0.12, 1.84), (0.2, 3.0), (0, 3.25), (-0.2, 3.0)], look.tie)
        self.shape([(-0.15, 1.78), (0.15, 1.78), (0.1, 2.0), (-0.1, 2.0)], look.tie)
        self._folds()
        self._shade_neck()

    def _folds(self) -> None:
        for side in (-1, 1):
            for i in range(3):
                x = side * (1.34 - 0.17 * i)
                self.stroke(
                    [(side * 1.52, 2.66 + 0.2 * i), (x, 2.74 + 0.22 * i), (x - side * 0.12, 2.9 + 0.24 * i)], 0.9
                )
            self.stroke([(side * 1.5, 2.1), (side * 1.62, 2.7), (side * 1.56, 4.2)], 1.1, "start")

    def _shade_neck(self) -> None:
        shade = [(-0.36, 1.08), (0.36, 1.08), (0.38, 1.38), (0.1, 1.5), (-0.38, 1.3)]
        if isinstance(self.look.skin, int):
            self.board.hatch(self.board.mask(self.at(shade)), 0.42, pitch=3.4, angle=62)
        else:
            self.fill(shade, shaded(self.look.skin, 0.84))
        # the chin again, over its own shadow
        t = self.look.turn * 0.12
        self.fill(
            smooth([(-0.7 + t, 0.8), (-0.3 + t, 1.15), (t, 1.25), (0.3 + t, 1.15), (0.7 + t, 0.8)]), self.look.skin
        )
