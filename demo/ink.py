"""A drawing board: pen strokes of varying width, fills, screentone and hatching, all antialiased."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]  # (N, 2), x to the right and y down
Shape = Points | Sequence[tuple[float, float]]

OVERSAMPLING = 3  # drawn larger and averaged down: Pillow's own lines are not antialiased
Tone = int | tuple[int, int, int]  # grey, or RGB on a colour board
WHITE, BLACK = 255, 0


@dataclass(frozen=True)
class Place:
    """Where local coordinates land on the board: turned by `angle` (radians), scaled, moved."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    squeeze: float = 1.0

    def __call__(self, points: Shape) -> Points:
        """Local points as board points."""
        local = np.asarray(points, dtype=float).reshape(-1, 2) * self.scale
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        x, y = local[:, 0] * self.squeeze, local[:, 1]
        return np.column_stack([self.x + cos * x - sin * y, self.y + sin * x + cos * y])


class Board:
    """`width` x `height` px of white paper; coordinates are px of the finished picture."""

    def __init__(self, width: int, height: int, *, unit: float = 1.0, colour: bool = False) -> None:
        self.width, self.height, self.unit, self.colour = width, height, unit, colour
        size = (width * OVERSAMPLING, height * OVERSAMPLING)
        self.ink = Image.new("RGB" if colour else "L", size, self.paint(WHITE))
        self._draw = ImageDraw.Draw(self.ink)

    def stroke(self, points: Shape, width: float, *, taper: str = "both", tone: Tone = BLACK) -> None:
        """A pen stroke through `points`; `taper` says where it thins out: both, start, end or none."""
        path = smooth(points)
        paint = self.paint(tone)
        widths = _pressure(len(path), taper) * width * self.unit * OVERSAMPLING
        path = path * OVERSAMPLING
        for (x0, y0), (x1, y1), line in zip(path[:-1], path[1:], widths[:-1], strict=True):
            thickness = max(1, round(line))
            self._draw.line((x0, y0, x1, y1), fill=paint, width=thickness)
            if thickness > 3:
                r = thickness / 2
                self._draw.ellipse((x1 - r, y1 - r, x1 + r, y1 + r), fill=paint)

    def line(self, points: Shape, width: float, *, tone: Tone = BLACK, closed: bool = False) -> None:
        """A ruler line of even width through exactly these points."""
        path = [(float(x * OVERSAMPLING), float(y * OVERSAMPLING)) for x, y in points]
        thickness = max(1, round(width * self.unit * OVERSAMPLING))
        self._draw.line([*path, path[0]] if closed else path, fill=self.paint(tone), width=thickness, joint="curve")

    def fill(self, points: Shape, tone: Tone = WHITE) -> None:
        """A polygon of one tone."""
        self._draw.polygon([(float(x * OVERSAMPLING), float(y * OVERSAMPLING)) for x, y in points], self.paint(tone))

    def shape(self, points: Shape, *, width: float = 1.6, tone: Tone = WHITE) -> None:
        """A filled polygon with a pen outline."""
        self.fill(points, tone)
        self.line(points, width, closed=True)

    def mask(self, *shapes: Shape) -> Image.Image:
        """Where the shapes lie, at the board's inner resolution."""
        mask = Image.new("L", self.ink.size, 0)
        draw = ImageDraw.Draw(mask)
        for points in shapes:
            draw.polygon([(float(x * OVERSAMPLING), float(y * OVERSAMPLING)) for x, y in points], fill=255)
        return mask

    def screentone(
        self, area: Image.Image | None, density: Density, *, pitch: float = 4.6, angle: float = 45.0
    ) -> None:
        """Printed dots, `density` 0 (paper) to 1 (solid), multiplied onto what is drawn already."""
        self._multiply(area, lambda x, y: _dots(x, y, pitch * self.unit, angle), density)

    def hatch(self, area: Image.Image | None, density: Density, *, pitch: float = 5.0, angle: float = 45.0) -> None:
        """Parallel pen lines, `density` 0 to 1 of the pitch."""
        self._multiply(area, lambda x, y: _lines(x, y, pitch * self.unit, angle), density)

    def paste(self, other: Board, x: int, y: int, outline: Shape) -> None:
        """Another board's drawing, cut to `outline` (in this board's px)."""
        mask = self.mask(outline)
        box = (x * OVERSAMPLING, y * OVERSAMPLING)
        self.ink.paste(other.ink, box, mask.crop((*box, box[0] + other.ink.width, box[1] + other.ink.height)))

    def finish(self) -> Image.Image:
        """The drawing at its own size, mode L, or RGB from a colour board."""
        return self.ink.reduce(OVERSAMPLING)

    def wash(self, area: Image.Image | None, top: Tone, bottom: Tone) -> None:
        """A colour that runs from `top` to `bottom`, over the whole board or inside a mask."""
        box = (area.getbbox() if area is not None else None) or (0, 0, *self.ink.size)
        size = (box[2] - box[0], box[3] - box[1])
        low, high = (Image.new(self.ink.mode, size, self.paint(tone)) for tone in (bottom, top))
        blend = Image.composite(low, high, Image.linear_gradient("L").resize(size))
        self.ink.paste(blend, box[:2], area.crop(box) if area is not None else None)

    def glow(self, x: float, y: float, radius: float, tone: Tone, strength: float = 1.0) -> None:
        """Light around a point, fading out to `radius`."""
        r = round(radius * OVERSAMPLING)
        fade = (
            Image.radial_gradient("L").resize((2 * r, 2 * r)).point(lambda v: round(max(0, 255 - v * 1.4) * strength))
        )
        self.ink.paste(self.paint(tone), (round(x * OVERSAMPLING) - r, round(y * OVERSAMPLING) - r), fade)

    def paint(self, tone: Tone) -> Tone:
        """A tone as this board's picture takes it."""
        return (tone, tone, tone) if self.colour and isinstance(tone, int) else tone

    def _multiply(self, area: Image.Image | None, cell: Cell, density: Density) -> None:
        box = area.getbbox() if area is not None else (0, 0, *self.ink.size)
        if box is None:
            return
        y, x = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float32) / OVERSAMPLING
        wanted = density(x / self.width, y / self.height) if callable(density) else np.float32(density)
        printed = cell(x, y) < wanted
        if area is not None:
            printed &= np.asarray(area.crop(box)) > 127
        self.ink.paste(self.paint(BLACK), (box[0], box[1]), Image.fromarray(printed))


Field = NDArray[np.floating]  # (H, W)
Cell = Callable[[Field, Field], Field]
Density = float | Callable[[Field, Field], Field]  # a function of x and y, both 0 to 1 over the board


def smooth(points: Shape, per_segment: int = 10) -> Points:
    """A Catmull-Rom curve through the points."""
    p = np.asarray(points, dtype=float)
    if len(p) < 3:
        return np.linspace(p[0], p[-1], per_segment)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, per_segment, endpoint=False)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.vstack([*curve, p[-2:-1]])


def ellipse(x: float, y: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0) -> Points:
    """Points along an ellipse, clockwise from `start` to `end` in degrees, 0 to the right."""
    t = np.radians(np.linspace(start, end, max(12, int(abs(end - start) / 5))))
    return np.column_stack([x + rx * np.cos(t), y + ry * np.sin(t)])


def ramp(start: float, end: float, *, across: bool = False) -> Callable[[Field, Field], Field]:
    """A tone that goes from `start` to `end` down the board, or across it."""
    return lambda x, y: np.float32(start) + (x if across else y) * np.float32(end - start)


def shaded(tone: Tone, factor: float) -> Tone:
    """A darker (below 1) or lighter (above 1) tone."""
    if isinstance(tone, int):
        return min(255, round(tone * factor))
    r, g, b = (min(255, round(c * factor)) for c in tone)
    return r, g, b


def joined(parts: Iterable[Shape]) -> Points:
    """Several curves as one outline."""
    return np.vstack([np.asarray(part, dtype=float) for part in parts])


def _pressure(count: int, taper: str) -> NDArray[np.float64]:
    t = np.linspace(0, 1, count)
    rising, falling = np.clip(t / 0.35, 0.12, 1), np.clip((1 - t) / 0.45, 0.08, 1)
    return {"both": rising * falling, "start": rising, "end": falling, "none": np.ones(count)}[taper]


def _rotated(x: Field, y: Field, degrees: float) -> tuple[Field, Field]:
    cos, sin = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
    return cos * x + sin * y, cos * y - sin * x


def _dots(x: Field, y: Field, pitch: float, angle: float) -> Field:
    u, v = _rotated(x, y, angle)
    turn = np.float32(2 * np.pi / pitch)
    dots: Field = np.float32(0.5) + (np.cos(turn * u) + np.cos(turn * v)) * np.float32(-0.25)
    return dots


def _lines(x: Field, y: Field, pitch: float, angle: float) -> Field:
    _, v = _rotated(x, y, angle)
    lines: Field = np.abs(np.mod(v / np.float32(pitch), np.float32(1.0)) - np.float32(0.5)) * np.float32(2.0)
    return lines
