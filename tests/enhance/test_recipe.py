"""A recipe resolves what a person asked for; its key changes with everything that changes a pixel."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.enhance import Recipe, make_recipe
from enlarger.enhance.recipe import PIPELINE_VERSION
from enlarger.errors import RecipeError, UnknownModelError
from enlarger.models import load_catalog

CATALOG = load_catalog()
OTHER: dict[str, Any] = {
    "model": "realcugan-se",
    "noise": 1,
    "scale": 3.0,
    "width": 10,
    "height": 10,
    "tta": True,
    "format": "webp",
    "quality": 80,
    "lossless": True,
    "precision": "exact",
    "tile_px": 64,
    "denoise": 0.5,
    "denoise_level": 3,
    "tile_pad_px": 10,
    "exact_size": True,
}


def test_default_is_cunet_twice_as_large() -> None:
    recipe = make_recipe(CATALOG)
    assert (recipe.model, recipe.scale, recipe.noise, recipe.format) == ("waifu2x-cunet", 2.0, None, "same")


def test_a_model_name_fixes_scale_noise_and_tta() -> None:
    recipe = make_recipe(CATALOG, model="MODEL_WAIFU2X_CUNET_UP2X_DENOISE3X_TTA")
    assert (recipe.model, recipe.scale, recipe.noise, recipe.tta) == ("waifu2x-cunet", 2.0, 3, True)


def test_a_card_without_2x_gives_what_it_has() -> None:
    assert make_recipe(CATALOG, model="realesrgan-x4plus").scale == 4.0


@pytest.mark.parametrize(
    "asked",
    [
        {"scale": 0},
        {"scale": 0.5},
        {"scale": 2, "width": 100},
        {"scale": 33},
        {"scale": 1},
        {"noise": -1},
        {"quality": 0},
        {"quality": 101},
        {"format": "xcf"},
        {"tile_px": 8},
        {"tile_pad_px": -1},
        {"tile_pad_px": 129},
        {"batch": 0},
        {"batch": 17},
        {"denoise": "strong"},
        {"denoise": "low", "noise": 1},
        {"width": -1},
        {"model": "realesrgan-x4plus", "noise": 1},
        {"model": "MODEL_WAIFU2X_CUNET_UP2X", "scale": 4},
        {"model": "MODEL_WAIFU2X_CUNET_UP2X", "scale": 2.5},
        {"model": "MODEL_WAIFU2X_CUNET_UP2X", "noise": 2},
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(asked: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as caught:
        make_recipe(CATALOG, **asked)
    assert caught.value.remedy is not None


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownModelError, match="waifu2x-cunet"):
        make_recipe(CATALOG, model="waifu2x-cunett")


@pytest.mark.parametrize("field", [field.name for field in fields(Recipe) if field.name != "batch"])
def test_every_field_changes_the_key(field: str) -> None:
    recipe = make_recipe(CATALOG)
    changed = replace(recipe, **{field: OTHER[field]})
    assert changed.key("a" * 64, ["g"]) != recipe.key("a" * 64, ["g"])


def test_tiles_a_call_change_no_key_since_they_change_no_bit() -> None:
    assert make_recipe(CATALOG, batch=4).key("a" * 64, ["g"]) == make_recipe(CATALOG).key("a" * 64, ["g"])


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("RealESRGAN_x4plus_anime_6B", "realesrgan-x4plus-anime"),
        ("realesrgan_x4plus_anime6b", "realesrgan-x4plus-anime"),
        ("REAL-ESRGAN-ANIME", "realesrgan-x4plus-anime"),
        ("realesr-animevideov3", "realesr-animevideov3"),
        ("RealESR-AnimeVideoV3", "realesr-animevideov3"),
    ],
)
def test_the_manga_services_models_have_every_scale_and_strength(name: str, card: str, scale: int) -> None:
    for word in (None, "low", "medium", "high"):
        recipe = make_recipe(CATALOG, model=name, scale=scale, denoise=word)
        assert (recipe.model, recipe.scale, recipe.noise) == (card, scale, None)
        assert (recipe.denoise > 0) is (word is not None)


def test_a_model_names_noise_stands_whatever_the_strength() -> None:
    named = make_recipe(CATALOG, model="MODEL_WAIFU2X_CUNET_UP2X_DENOISE3X", denoise="low")
    assert (named.noise, named.denoise) == (3, 0.0)


def test_picture_and_graph_change_the_key_and_nothing_else_does() -> None:
    recipe = make_recipe(CATALOG)
    keys = {recipe.key(picture, [graph]) for picture in "ab" for graph in "gh"}
    assert len(keys) == 4
    assert recipe.key("a", ["g"]) == make_recipe(CATALOG, model="CUNET", scale=2).key("a", ["g"])


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 3000), st.integers(0, 3000))
def test_the_output_fits_the_box_and_keeps_its_shape(width: int, height: int, box_w: int, box_h: int) -> None:
    recipe = make_recipe(CATALOG, width=box_w, height=box_h)
    out_w, out_h = recipe.output_size(width, height)
    if not (box_w or box_h):
        assert (out_w, out_h) == (2 * width, 2 * height)
        return
    assert not box_w or out_w <= max(box_w, 1)
    assert not box_h or out_h <= max(box_h, 1)
    assert abs(out_w * height - out_h * width) <= max(width, height)


def test_an_exact_size_is_that_size_and_no_pixel_is_made_up_by_resampling() -> None:
    recipe = replace(make_recipe(CATALOG, width=50, height=100), exact_size=True)
    assert recipe.output_size(20, 16) == (50, 100)
    assert recipe.factor(20, 16) == 100 / 16  # the networks make enough for the side that grows most
    assert replace(recipe, exact_size=False).output_size(20, 16) == (50, 40)


def test_keys_are_what_they_were_before_sizes_could_be_exact() -> None:
    """Renders in people's caches stay found: the field is in the key only where it is used."""
    recipe = make_recipe(CATALOG, scale=2)
    before = recipe.as_dict()
    del before["batch"], before["exact_size"]
    parts = {"picture": "a" * 64, "recipe": before, "graphs": ["g"], "pipeline": PIPELINE_VERSION}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert recipe.key("a" * 64, ["g"]) == hashlib.sha256(text.encode()).hexdigest()
