"""The manga contract's parameters as recipes: each of them does what it says."""

from __future__ import annotations

from typing import Any

import pytest

from enlarger.enhance import Recipe
from enlarger.errors import RecipeError, UnknownModelError
from enlarger.models import load_catalog
from enlarger.server.manga.recipes import device_note, device_of, recipe_of
from enlarger.server.manga.wire import JobParams

CATALOG = load_catalog()


def recipe(**params: Any) -> Recipe:
    return recipe_of(JobParams(**params), CATALOG)


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("RealESRGAN_x4plus_anime_6B", "realesrgan-x4plus-anime"),
        ("realesrgan_x4plus_anime6b", "realesrgan-x4plus-anime"),
        ("REAL-ESRGAN-ANIME", "realesrgan-x4plus-anime"),
        ("realesr-animevideov3", "realesr-animevideov3"),
        ("RealESR-AnimeVideoV3", "realesr-animevideov3"),
        ("waifu2x-cunet", "waifu2x-cunet"),
    ],
)
def test_names_and_aliases_mean_a_model_in_any_case(name: str, card: str) -> None:
    assert recipe(model=name).model == card


def test_the_defaults_are_the_originals() -> None:
    made = recipe()
    assert (made.model, made.scale, made.format, made.quality) == ("realesrgan-x4plus-anime", 2.0, "jpeg", 95)
    assert (made.tile_px, made.tile_pad_px, made.batch) == (0, None, 1)


def test_every_parameter_reaches_the_recipe() -> None:
    made = recipe(scale=3, output_format="webp", jpeg_quality=60, tile_size=128, tile_pad=24, batch_size=4)
    assert (made.scale, made.format, made.quality) == (3.0, "webp", 60)
    assert (made.tile_px, made.tile_pad_px, made.batch) == (128, 24, 4)


@pytest.mark.parametrize("model", ["RealESRGAN_x4plus_anime_6B", "realesr-animevideov3", "waifu2x-cunet"])
def test_denoise_changes_the_pixels_of_every_model(model: str) -> None:
    """Broken in the original: it was ignored."""
    made = [recipe(model=model, denoise=word) for word in ("low", "medium", "high")]
    assert len({each.key("picture", ["graph"]) for each in made}) == 3


def test_batch_size_changes_how_and_not_what() -> None:
    """Broken in the original: it was ignored."""
    one, eight = recipe(batch_size=1), recipe(batch_size=8)
    assert (one.batch, eight.batch) == (1, 8)
    assert one.key("picture", ["graph"]) == eight.key("picture", ["graph"])


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("model", ["RealESRGAN_x4plus_anime_6B", "realesr-animevideov3"])
def test_the_originals_models_take_every_scale(model: str, scale: int) -> None:
    assert recipe(model=model, scale=scale).scale == scale


def test_a_model_name_that_says_its_scale_is_not_contradicted_by_the_default() -> None:
    name = "MODEL_REALESRGAN_ANIMAVIDEOV3_UP4X"
    assert recipe(model=name).scale == 4
    with pytest.raises(RecipeError):
        recipe(model=name, scale=2)


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownModelError, match="animevideov3"):
        recipe(model="realesr-animevideo")


@pytest.mark.parametrize(("asked", "device"), [("auto", "auto"), ("cpu", "cpu"), ("cuda", "auto")])
def test_without_cuda_it_runs_on_what_is_there_and_says_so(asked: Any, device: str) -> None:
    params = JobParams(device=asked)
    assert device_of(params) == device
    assert (device_note(params) is not None) == (asked == "cuda")
