"""Drawn pages as pixels, enlarging them in-process, and how near two pictures are."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from math import inf

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from demo.pages import draw_page
from demo.photo import draw_photo
from enlarger.enhance import Enhancer, Enlarged, make_recipe
from enlarger.models import Variant
from enlarger.pictures import Metadata, Picture

Pixels = NDArray[np.uint8]


@cache
def drawing(seed: int) -> Image.Image:
    """320 x 320 px out of a page drawn at twice a web scan's size: clean lines, screentone, lettering."""
    return draw_page(seed, 1400, 2000, scanned=False).crop((300, 560, 620, 880))


@cache
def textured(seed: int, width: int, height: int) -> Pixels:
    """(H, W, 1): the middle of a scanned page, grain and all."""
    page = draw_page(seed, 700, 1000)
    left, top = (700 - width) // 2, (1000 - height) // 2
    return np.asarray(page.crop((left, top, left + width, top + height)))[:, :, np.newaxis]


@cache
def coloured(seed: int, width: int, height: int) -> Pixels:
    """(H, W, 3): a drawn page under a photograph's colours, so that every channel has texture of its own."""
    ink = textured(seed, width, height).astype(np.uint16)
    photo = np.asarray(draw_photo(seed, 900, 600).resize((width, height), Image.Resampling.BOX))
    return (ink * photo // 255).astype(np.uint8)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def lanczos(image: Image.Image, scale: int = 2) -> Pixels:
    return np.asarray(image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS))


def pixels_of(image: Image.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def enlarge(
    enhancer: Enhancer, pixels: Pixels, variant: Variant, *, exact: bool = True, tile_px: int = 0
) -> tuple[Pixels, Enlarged]:
    """`pixels` through this one network; the result's pixels and how they came about."""
    precision = "exact" if exact else "auto"
    recipe = make_recipe(enhancer.catalog, model=variant.name, precision=precision, tile_px=tile_px)
    enlarged = enhancer.enlarge(Picture(pixels, None, Metadata(), "png"), replace(recipe, scale=float(variant.scale)))
    (only,) = enlarged.facts.passes
    assert only.variant == variant.name
    return enlarged.picture.pixels, enlarged


def psnr(a: Pixels, b: Pixels) -> float:
    """Peak signal-to-noise ratio in dB."""
    mse = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return inf if mse == 0 else 10 * float(np.log10(255**2 / mse))


def blank(image: Image.Image, reach_px: int = 5) -> NDArray[np.bool_]:
    """Where the paper is white for `reach_px` around: what is seen there after JPEG is JPEG's."""
    return np.asarray(image.filter(ImageFilter.MinFilter(2 * reach_px + 1))) == 255
