"""Low, medium and high for networks without noise levels: less of JPEG, and nothing lost on a clean page."""

from __future__ import annotations

from functools import cache

import pytest
from drawings import Pixels, drawing, jpeg, pixels_of, psnr

from enlarger.enhance import Enhancer, make_recipe
from enlarger.pictures import Metadata, Picture

pytestmark = [pytest.mark.weights, pytest.mark.slow]

SEED_MODELS = ("realesr-animevideov3", "RealESRGAN_x4plus_anime_6B")
WORDS = ("low", "medium", "high")
_SIDE = 128  # px: a tile of each network


@cache
def enlarged(enhancer: Enhancer, model: str, word: str | None, quality: int | None, scale: int = 2) -> Pixels:
    """A detail of a drawing, clean or after JPEG of this quality."""
    clean = drawing(5).reduce(2).crop((0, 0, _SIDE, _SIDE))
    pixels = pixels_of(clean if quality is None else jpeg(clean, quality))
    recipe = make_recipe(enhancer.catalog, model=model, scale=scale, denoise=word)
    return enhancer.enlarge(Picture(pixels, None, Metadata(), "png"), recipe).picture.pixels


@pytest.mark.parametrize("model", SEED_MODELS)
@pytest.mark.parametrize("word", WORDS)
def test_a_clean_page_stays_what_it_is(enhancer: Enhancer, model: str, word: str) -> None:
    off = enlarged(enhancer, model, None, None)
    kept_db = psnr(enlarged(enhancer, model, word, None), off)
    print(f"{model}: {word} is {kept_db:.1f} dB from off on a clean page")
    assert kept_db > (45.0 if word == "high" else 48.0)  # measured: 46.8, 49.5 and more


@pytest.mark.parametrize("model", SEED_MODELS)
@pytest.mark.parametrize(("word", "quality"), [("low", 75), ("medium", 75), ("medium", 50), ("high", 30)])
def test_less_of_jpeg_is_enlarged(enhancer: Enhancer, model: str, word: str, quality: int) -> None:
    clean = enlarged(enhancer, model, None, None)
    gain_db = psnr(enlarged(enhancer, model, word, quality), clean) - psnr(
        enlarged(enhancer, model, None, quality), clean
    )
    print(f"{model}: {word} {gain_db:+.2f} dB at quality {quality}")
    assert gain_db > 0.2


@pytest.mark.parametrize("model", SEED_MODELS)
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_every_scale_of_the_manga_service_gives_a_picture(enhancer: Enhancer, model: str, scale: int) -> None:
    result = enlarged(enhancer, model, "medium", 75, scale)
    assert result.shape == (_SIDE * scale, _SIDE * scale, 1)
    small = pixels_of(drawing(5).crop((0, 0, 2 * _SIDE, 2 * _SIDE)).resize((_SIDE * scale, _SIDE * scale)))
    assert psnr(result, small) > 18.0
