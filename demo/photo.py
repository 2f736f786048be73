"""A picture like a photograph, computed: a lake at dusk with clouds, hills, reflections, lights and film grain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Plane = NDArray[np.float32]  # (H, W), about 0 to 1


def draw_photo(seed: int, width: int = 900, height: int = 600) -> Image.Image:
    """A landscape of `width` x `height` px, mode RGB; the same seed and size give the same pixels."""
    rng = np.random.default_rng(seed)
    shore = round(height * 0.58)
    land = _sky(rng, width, shore)
    for layer in range(4):
        _hills(land, rng, layer)
    _trees(land, rng)
    water = _water(land, rng, height - shore)
    picture = _lights(np.vstack([land, water]), rng, shore)
    return _film(picture, rng)


def noise(rng: np.random.Generator, width: int, height: int, *, octaves: int = 6, stretch: float = 1.0) -> Plane:
    """Fractal value noise from 0 to 1; `stretch` widens its features."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = 3 * 2**octave
        grid = rng.random((cells + 1, max(2, round(cells / stretch) + 1)), dtype=np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * np.float32(0.55**octave)
    total -= total.min()
    return np.asarray(total / total.max(), dtype=np.float32)


def _mix(low: tuple[int, ...], high: tuple[int, ...], share: Plane) -> NDArray[np.float32]:
    a, b = np.asarray(low, np.float32) / 255, np.asarray(high, np.float32) / 255
    return np.asarray(a + (b - a) * np.clip(share, 0, 1)[..., None], dtype=np.float32)


def _sky(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(height)
    sky = _mix((44, 70, 128), (246, 196, 150), y**1.3)
    sun = np.exp(-((x - 1.15) ** 2 + ((y - 0.86) * 1.6) ** 2) * 5)
    sky += sun[..., None] * np.asarray([0.34, 0.20, 0.06], np.float32)
    cloud = np.clip((noise(rng, width, height, octaves=7, stretch=2.4) - 0.46) * 3.2, 0, 1) * (1 - 0.45 * y)
    lit = _mix((112, 106, 138), (255, 214, 182), noise(rng, width, height, stretch=2.0) * 0.7 + sun * 0.8)
    return np.asarray(sky * (1 - cloud[..., None]) + lit * cloud[..., None], dtype=np.float32)


def _hills(land: NDArray[np.float32], rng: np.random.Generator, layer: int) -> None:
    height, width = land.shape[:2]
    ridge = noise(rng, width, 8, octaves=9, stretch=0.8)[4] * (0.34 - 0.05 * layer) + 0.42 + 0.14 * layer
    y = np.arange(height, dtype=np.float32)[:, None] / height
    cover = np.clip((y - ridge[None, :]) * height, 0, 1)[..., None]
    rough = noise(rng, width, height, octaves=8)
    slope = np.clip(np.gradient(rough, axis=1) * width / 26 + 0.4, 0, 1)
    far, near = (
        ((120, 120, 158), (92, 84, 122), (58, 62, 84), (26, 36, 40)),
        ((196, 164, 166), (150, 120, 128), (96, 94, 90), (60, 66, 48)),
    )
    ground = _mix(far[layer], near[layer], (0.55 * slope + 0.45 * rough).astype(np.float32))
    haze = np.clip(1 - (y - ridge[None, :]) * 5, 0, 1)[..., None] * (0.22 - 0.05 * layer)
    ground = ground * (1 - haze) + haze * np.asarray([0.92, 0.72, 0.62], np.float32)
    land[:] = land * (1 - cover) + ground * cover


def _trees(land: NDArray[np.float32], rng: np.random.Generator) -> None:
    height, width = land.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(70):
        foot, tall = height * rng.uniform(0.97, 1.02), height * rng.uniform(0.06, 0.2)
        middle, dark = rng.uniform(0, width), rng.uniform(0.6, 1.3)
        near = np.s_[max(0, int(foot - tall)) :, max(0, int(middle - tall / 4)) : int(middle + tall / 4) + 1]
        rise = np.clip((foot - y[near]) / tall, 0, 1)
        branch = 0.75 + 0.25 * np.sin(rise * 34 + middle) + 0.18 * np.sin(x[near] * 1.9 + y[near] * 1.3)
        inside = np.abs(x[near] - middle) < tall * 0.17 * (1 - rise) * branch
        bark = np.asarray([0.05, 0.08, 0.07], np.float32) * dark
        land[near] = np.where(inside[..., None], land[near] * 0.12 + bark, land[near])


def _water(land: NDArray[np.float32], rng: np.random.Generator, depth: int) -> NDArray[np.float32]:
    height, width = land.shape[:2]
    rows = np.arange(depth, dtype=np.float32)[:, None] / depth
    ripple = noise(rng, width, depth, octaves=8, stretch=7.0) - 0.5
    source = np.clip(height - 1 - rows * height * 0.72 + ripple * (4 + 70 * rows), 0, height - 1).astype(int)
    column = np.clip(np.arange(width)[None, :] + ripple * 26 * rows, 0, width - 1).astype(int)
    mirrored = land[source, column] * (0.80 - 0.2 * rows[..., None])
    glint = np.clip(ripple * 2.6 - 0.62, 0, 1)[..., None] * np.asarray([0.9, 0.8, 0.72], np.float32)
    return np.asarray(mirrored + np.asarray([0.0, 0.015, 0.04], np.float32) + glint * 0.7, dtype=np.float32)


def _lights(picture: NDArray[np.float32], rng: np.random.Generator, shore: int) -> NDArray[np.float32]:
    """Lamps on the far shore with their reflections, and out-of-focus ones close by."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(16):
        warm = np.asarray([1.0, rng.uniform(0.65, 0.9), rng.uniform(0.3, 0.6)], np.float32)
        lx, ly = rng.uniform(0, width), shore - rng.uniform(2, 9)
        near = np.s_[:, max(0, int(lx) - 12) : int(lx) + 13]
        spot = np.exp(-((x[near] - lx) ** 2 + (y[near] - ly) ** 2) / 4) * 1.1
        trail = np.exp(-((x[near] - lx) ** 2) / 9 - np.clip(y[near] - shore, 0, None) / 60) * (y[near] > shore) * 0.34
        picture[near] += (spot + trail * (0.6 + 0.4 * np.sin(y[near] * 1.7 + lx)))[..., None] * warm
    for _ in range(11):
        radius = rng.uniform(0.018, 0.045) * width
        lx, ly = rng.uniform(0, width), height * rng.uniform(0.86, 1.0)
        tint = np.asarray([1.0, rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.7)], np.float32)
        close = np.s_[max(0, int(ly - radius)) :, max(0, int(lx - radius)) : int(lx + radius) + 2]
        distance = np.hypot(x[close] - lx, y[close] - ly) / radius
        disc = np.clip((1 - distance) * radius / 2, 0, 1) * (0.16 + 0.12 * distance**4)
        picture[close] += disc[..., None] * tint
    return picture


def _film(picture: NDArray[np.float32], rng: np.random.Generator) -> Image.Image:
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    toned = np.clip(picture, 0, 1.2) ** 1.08 * (1 - 0.22 * (x**2 + y**2) / 2)[..., None]
    grain = rng.normal(0, 0.014, (height, width, 1)) + rng.normal(0, 0.006, (height, width, 3))
    image = Image.fromarray((np.clip(toned + grain, 0, 1) * 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(0.5))
