"""Tile side, surroundings and batch are what was asked for, and the facts say what they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enlarger.enhance import Enhancer, PassFacts, make_recipe
from enlarger.models import load_catalog
from enlarger.runtimes import FakeRuntime, Misfortune
from pages import noise, picture

CATALOG = load_catalog()
SEEDS = ("RealESRGAN_x4plus_anime_6B", "realesr-animevideov3")
PAGE = noise(1, 300, 200)


def only_pass(enhancer: Enhancer, **asked: object) -> PassFacts:
    """Of PAGE through one network; the fake's result must be the nearest neighbours, however it was cut."""
    recipe = make_recipe(CATALOG, **{"model": SEEDS[1], "scale": 4, **asked})
    enlarged = enhancer.enlarge(picture(PAGE), recipe)
    assert np.array_equal(enlarged.picture.pixels, PAGE.repeat(4, 0).repeat(4, 1))
    (facts,) = enlarged.facts.passes
    return facts


@pytest.mark.parametrize("model", SEEDS)
@pytest.mark.parametrize("side", [64, 100, 1024])
def test_a_tile_answers_for_the_side_that_was_asked_for(enhancer: Enhancer, model: str, side: int) -> None:
    facts = only_pass(enhancer, model=model, tile_px=side)
    useful = tuple(length - 2 * facts.halo_px for length in facts.tile)
    assert useful == (min(side, 200), min(side, 300))
    assert facts.tiles == -(-300 // side) * -(-200 // side)


def test_the_smallest_tile_still_leaves_something(enhancer: Enhancer) -> None:
    assert only_pass(enhancer, tile_px=32).tile == (64, 64)


@pytest.mark.parametrize(("asked", "halo"), [(None, 12), (0, 0), (10, 10), (40, 40)])
def test_surroundings_are_those_asked_for(enhancer: Enhancer, asked: int | None, halo: int) -> None:
    facts = only_pass(enhancer, tile_px=100, tile_pad_px=asked)
    assert (facts.halo_px, facts.tile) == (halo, (100 + 2 * halo, 100 + 2 * halo))


@pytest.mark.parametrize(
    ("model", "asked", "halo"),
    [
        ("MODEL_WAIFU2X_CUNET_UP2X", 0, 18),  # its border: without it there is no picture
        ("MODEL_WAIFU2X_CUNET_UP2X", 20, 20),
        ("MODEL_REALCUGAN_SE_UP3X", 15, 16),  # twice the halo is a multiple of its stride of 4
    ],
)
def test_surroundings_fit_the_network(enhancer: Enhancer, model: str, asked: int, halo: int) -> None:
    recipe = make_recipe(CATALOG, model=model, tile_px=64, tile_pad_px=asked)
    enlarged = enhancer.enlarge(picture(PAGE), recipe)
    assert enlarged.facts.passes[0].halo_px == halo
    scale = int(recipe.scale)
    assert np.array_equal(enlarged.picture.pixels, PAGE.repeat(scale, 0).repeat(scale, 1))


@pytest.mark.parametrize(("asked", "batch", "calls"), [(1, 1, 12), (4, 4, 3), (5, 4, 3), (7, 6, 2), (16, 12, 1)])
def test_calls_are_as_full_as_each_other(
    enhancer: Enhancer, runtime: FakeRuntime, asked: int, batch: int, calls: int
) -> None:
    facts = only_pass(enhancer, tile_px=80, batch=asked)
    assert (facts.tiles, facts.batch, runtime.calls_run) == (12, batch, calls)


def test_a_page_of_one_tile_is_no_batch(enhancer: Enhancer) -> None:
    assert only_pass(enhancer, model=SEEDS[0], batch=8).batch == 1


def test_averages_are_shared_in_batches_too(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    runtime.poolings = 4
    recipe = make_recipe(CATALOG, model="realcugan-se", tile_px=80)
    alone, paired = (enhancer.enlarge(picture(PAGE), replace(recipe, batch=batch)).picture.pixels for batch in (1, 5))
    assert np.array_equal(alone, paired)


@pytest.mark.parametrize(("model", "side", "shares"), [("realcugan-se", 150, True), ("realcugan-se", 300, False),
                                                     ("waifu2x-cunet", 150, False)])  # fmt: skip
def test_it_is_known_beforehand_whether_tiles_will_share_averages(
    enhancer: Enhancer, runtime: FakeRuntime, model: str, side: int, shares: bool
) -> None:
    runtime.poolings = 4
    recipe = make_recipe(CATALOG, model=model, tile_px=side)
    assert enhancer.shares_averages(recipe, 300, 200) is shares
    enhancer.enlarge(picture(PAGE), recipe)
    assert (runtime.tiles_pooled > 0) is shares


def test_memory_is_taken_from_the_batch_before_the_tile(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    runtime.misfortune = Misfortune(out_of_memory_above_px=2 * 104 * 104)
    facts = only_pass(enhancer, tile_px=80, batch=8)  # 12 tiles: asked for in two calls of 6, then 3, then 1
    assert (facts.tile, facts.batch) == ((104, 104), 1)
    opened = runtime.sessions_opened
    assert only_pass(enhancer, tile_px=80, batch=8).batch == 1
    assert runtime.sessions_opened == opened  # remembered: nothing is tried again


def test_no_more_tiles_a_call_than_memory_is_planned_for(enhancer: Enhancer) -> None:
    from enlarger.enhance.tile_limits import TileLimits
    from enlarger.runtimes import tile_bytes

    recipe = make_recipe(CATALOG, model=SEEDS[1])
    graph = enhancer.graph(enhancer.variants(recipe, 300, 200)[0])
    room = tile_bytes(graph, (128, 128)) * 5 // 2
    limits = TileLimits(enhancer.settings.model_copy(update={"memory_budget": room}))
    assert limits.batch(graph, (128, 128), 16) == 2
    assert limits.batch(graph, (1024, 1024), 16) == 1
