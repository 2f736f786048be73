"""Flat areas through the Enhancer: the same picture as without sparing them, from fewer pixels computed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flat_pictures import SeeingRuntime, islands
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance import Enhancer, Recipe, make_recipe
from enlarger.errors import BadOutputError
from enlarger.models import Graph, Variant, load_catalog
from enlarger.pictures import Animation, Frame, Metadata, Picture, Pixels
from enlarger.runtimes import FakeRuntime, Misfortune
from enlarger.settings import Settings
from enlarger.storage import write_atomic
from pages import noise, picture

CATALOG = load_catalog()
TWICE = make_recipe(CATALOG, model="realesr-animevideov3", scale=2)
CUNET = make_recipe(CATALOG, model="waifu2x-cunet", scale=2)
HALO, BORDER = 12, 18  # of the one and of the other: as far as they may see
TILE_PX = 160 * 160

House = Callable[..., Enhancer]


@pytest.fixture
def house(settings: Settings, identity_graph: Path) -> Iterator[House]:
    """An Enhancer over a runtime, with flat areas spared or not, and tiles so small that small pictures have some."""
    opened = []
    small = {variant.name: TILE_PX for card in CATALOG.cards for variant in card.variants}
    write_atomic(settings.data_dir / "tile-limits.json", json.dumps(small).encode())

    def make(runtime: FakeRuntime, *, spare_flat: bool = True, **network: Any) -> Enhancer:
        """`network`: fields in which its variants differ from the catalogue's."""

        def prepare(variant: Variant, settings: Settings) -> Graph:
            return Graph(identity_graph, f"digest of {variant.name}", replace(variant, **network), None)

        chosen = settings.model_copy(update={"spare_flat": spare_flat})
        opened.append(Enhancer(chosen, device="fake", runtimes={"fake": runtime}, prepare_graph=prepare))
        return opened[-1]

    yield make
    for enhancer in opened:
        enhancer.close()


def sparse(width: int = 400, height: int = 300) -> Pixels:
    """Mostly white, with some noise."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[40:100, 60:160] = noise(1, 100, 60)
    pixels[200:210, 150:360] = noise(2, 210, 10)
    return pixels


def doubled(pixels: Pixels) -> Pixels:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6)
@given(st.integers(0, 9999), st.integers(80, 400), st.integers(80, 300), st.sampled_from([1, 3]), st.integers(1, 3))
def test_a_network_that_sees_as_far_as_its_halo_gives_what_it_gives_for_all(
    house: House, seed: int, width: int, height: int, channels: int, grounds: int
) -> None:
    pixels = islands(seed, width, height, channels=channels, grounds=grounds)
    for recipe, reach in ((TWICE, HALO), (replace(TWICE, tile_px=64), HALO), (CUNET, BORDER)):
        spared, computed = SeeingRuntime(reach), SeeingRuntime(reach)
        with_it = house(spared).enlarge(picture(pixels), recipe).picture.pixels
        without = house(computed, spare_flat=False).enlarge(picture(pixels), recipe).picture.pixels
        assert np.array_equal(with_it, without)
        assert computed_px(spared) <= computed_px(computed)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("multiple", "halo"), [(2, 14), (4, 14), (8, 12)])
def test_a_network_that_folds_meets_pieces_as_it_meets_tiles(house: House, seed: int, multiple: int, halo: int) -> None:
    page = islands(seed + 3, 400, 300)
    network = {"multiple": multiple, "halo": halo}
    spared = house(SeeingRuntime(4, block=multiple), **network).enlarge(picture(page), TWICE)
    computed = house(SeeingRuntime(4, block=multiple), spare_flat=False, **network).enlarge(picture(page), TWICE)
    assert spared.facts.passes[0].filled_share > 0
    assert np.array_equal(spared.picture.pixels, computed.picture.pixels)


def test_an_own_network_whose_reach_is_unknown_is_given_the_whole_page(house: House) -> None:
    page = sparse()
    unknown = house(SeeingRuntime(0), folder="own/mine", local=False).enlarge(picture(page), TWICE)
    assert unknown.facts.passes[0].filled_share == 0
    known = house(SeeingRuntime(0), folder="own/mine").enlarge(picture(page), TWICE)
    assert known.facts.passes[0].filled_share > 0.5


@pytest.mark.parametrize("recipe", [TWICE, CUNET, replace(TWICE, tta=True), replace(CUNET, scale=4.0)])
def test_fewer_pixels_are_computed_and_the_facts_say_so(house: House, recipe: Recipe) -> None:
    runtime = SeeingRuntime(0)
    page = sparse()
    enlarged = house(runtime).enlarge(picture(page), recipe)
    scale = int(recipe.scale)
    assert np.array_equal(enlarged.picture.pixels, page.repeat(scale, 0).repeat(scale, 1))
    facts = enlarged.facts.passes[0]
    assert facts.filled_share > 0.5
    assert 0 < facts.useful_share < 1
    assert facts.tile in {shape[:2] for shape in runtime.tiles}
    all_of_it = SeeingRuntime(0)
    house(all_of_it, spare_flat=False).enlarge(picture(page), recipe)
    assert computed_px(runtime) < 0.6 * computed_px(all_of_it)


def computed_px(runtime: SeeingRuntime) -> int:
    return sum(shape[0] * shape[1] for shape in runtime.tiles)


def test_what_is_not_spared_says_so(house: House) -> None:
    page = sparse()
    enlarged = house(SeeingRuntime(0), spare_flat=False).enlarge(picture(page), TWICE)
    assert enlarged.facts.passes[0].filled_share == 0
    assert np.array_equal(enlarged.picture.pixels, doubled(page))


def test_an_empty_page_costs_one_narrow_tile(house: House) -> None:
    runtime = SeeingRuntime(HALO)
    page = np.full((700, 500, 1), 240, np.uint8)
    enlarged = house(runtime).enlarge(picture(page), TWICE).picture
    assert (enlarged.pixels == 240 * (2 * HALO + 1) ** 2 % 256).all()
    assert runtime.tiles_run == 1
    assert np.prod(runtime.tiles[0]) < 0.1 * page.size * 3


def test_sixteen_bits_and_alpha_are_spared_as_well(house: House) -> None:
    runtime = SeeingRuntime(0)
    deep = islands(4, 500, 400, dtype=np.uint16)
    alpha = np.zeros((400, 500), np.uint8)
    alpha[100:180, 100:220] = noise(3, 120, 80, 1)[:, :, 0]
    enlarged = house(runtime).enlarge(Picture(deep, None, Metadata(), "png", bits=16), TWICE)
    assert enlarged.facts.passes[0].filled_share > 0.3
    assert np.array_equal(enlarged.picture.pixels, doubled(deep))
    clear = house(runtime).enlarge(picture(np.full((400, 500, 3), 30, np.uint8), alpha), TWICE).picture
    assert clear.alpha is not None
    assert np.array_equal(clear.alpha, doubled(alpha))


def test_every_frame_has_flat_areas_of_its_own(house: House) -> None:
    frames = tuple(Frame(islands(seed, 400, 300), None) for seed in (4, 5, 4))
    moving = Picture(frames[0].pixels, None, Metadata(), "png", animation=Animation(frames[1:], (50, 50, 50), 0))
    enlarged = house(SeeingRuntime(0)).enlarge(moving, TWICE).picture
    for before, after in zip(moving.frames, enlarged.frames, strict=True):
        assert np.array_equal(after.pixels, doubled(before.pixels))


@pytest.mark.parametrize("recipe", [TWICE, replace(TWICE, scale=4.0), replace(TWICE, tta=True)])
def test_progress_rises_to_one_in_steps_of_what_is_left_to_do(house: House, recipe: Recipe) -> None:
    seen: list[float] = []
    house(SeeingRuntime(0)).enlarge(picture(sparse(500, 400)), recipe, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert seen[-2] < 1


@contextmanager
def patterned(pattern: list[list[int]]) -> Iterator[SeeingRuntime]:
    yield SeeingRuntime(0, np.array(pattern))


def test_a_pattern_that_repeats_with_the_stride_is_an_answer(house: House) -> None:
    """cunet 2x strides by 2: whatever it gives for a flat colour repeats every 4 pixels of the result."""
    pattern = [[0, 9, 3, 40], [5, 1, 0, 0], [60, 7, 7, 7], [0, 0, 2, 1]]
    page = sparse()
    results = []
    for spare_flat in (True, False):
        with patterned(pattern) as runtime:
            enlarged = house(runtime, spare_flat=spare_flat).enlarge(picture(page), CUNET)
        assert (enlarged.facts.passes[0].filled_share > 0.5) == spare_flat
        results.append(enlarged.picture.pixels)
    assert np.array_equal(*results)


def test_a_network_that_textures_what_is_flat_computes_all_of_it(house: House) -> None:
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 60, (37, 23)).tolist()
    page = sparse()
    with patterned(texture) as runtime:
        enlarged = house(runtime).enlarge(picture(page), CUNET).facts.passes[0]
    assert enlarged.filled_share == 0
    assert runtime.tiles_run > enlarged.tiles


def test_a_picture_is_the_same_whatever_was_enlarged_before(house: House) -> None:
    """One key, one picture: that one picture could not be filled says nothing about the next."""
    texture = np.random.default_rng(0).integers(0, 60, (37, 23))
    runtime = SeeingRuntime(0, texture)
    enhancer = house(runtime)
    enhancer.enlarge(picture(sparse()), CUNET)
    runtime.pattern = None  # as if this picture had no such colour
    assert enhancer.enlarge(picture(sparse()), CUNET).facts.passes[0].filled_share > 0.5


@pytest.mark.parametrize("output", ["nan", "black", "constant"])
def test_bad_output_is_noticed_in_tiles_of_pieces(house: House, output: str) -> None:
    page = sparse()
    runtime = FakeRuntime(Misfortune(output=output, output_dtypes=("bf16",)))
    enlarged = house(runtime).enlarge(picture(page), TWICE)
    assert np.array_equal(enlarged.picture.pixels, doubled(page))
    assert enlarged.facts.passes[0].retried
    with pytest.raises(BadOutputError):
        house(FakeRuntime(Misfortune(output=output))).enlarge(picture(page), TWICE)


def test_memory_that_runs_out_halves_tiles_of_pieces_too(house: House) -> None:
    page = sparse()
    enlarged = house(FakeRuntime(Misfortune(out_of_memory_above_px=110 * 110))).enlarge(picture(page), TWICE)
    assert np.array_equal(enlarged.picture.pixels, doubled(page))
    assert enlarged.facts.passes[0].filled_share > 0
    assert np.prod(enlarged.facts.passes[0].tile) <= 110 * 110


def test_a_batch_takes_tiles_of_pieces(house: House) -> None:
    runtime = FakeRuntime()
    page = sparse(500, 400)
    enlarged = house(runtime).enlarge(picture(page), replace(TWICE, tile_px=100, batch=4))
    assert np.array_equal(enlarged.picture.pixels, doubled(page))
    facts = enlarged.facts.passes[0]
    assert (facts.filled_share > 0.5, facts.batch) == (True, 3)
    assert runtime.calls_run == facts.tiles // 3 == 2


def test_averages_over_a_picture_count_what_is_flat(house: House) -> None:
    """Real-CUGAN's averages are the picture's: nothing is left out of them."""
    runtime = FakeRuntime()
    runtime.poolings = 4
    recipe = make_recipe(CATALOG, model="realcugan-se", scale=2, tile_px=64)
    page = sparse()
    seen: list[float] = []
    spared = house(runtime).enlarge(picture(page), recipe, progress=seen.append)
    pooled = runtime.tiles_pooled
    computed = house(runtime, spare_flat=False).enlarge(picture(page), recipe)
    assert spared.facts.passes[0].filled_share > 0.5
    assert pooled < (runtime.tiles_pooled - pooled) / 2
    assert np.array_equal(spared.picture.pixels, computed.picture.pixels)
    assert not np.array_equal(spared.picture.pixels, doubled(page))  # the averages show
    assert (seen[-1], seen) == (1, sorted(set(seen)))


def test_the_key_says_where_sparing_would_change_a_pixel(house: House) -> None:
    averaging = make_recipe(CATALOG, model="realcugan-se", scale=2)
    windows = make_recipe(CATALOG, model="waifu2x-swin-unet-art-scan", scale=2)  # never spared
    keys = {
        (recipe.model, spare_flat): house(FakeRuntime(), spare_flat=spare_flat).key(recipe, "s" * 64, 300, 200)
        for recipe in (TWICE, CUNET, averaging, windows)
        for spare_flat in (True, False)
    }
    for spared in (TWICE, CUNET, averaging):
        assert keys[spared.model, True] != keys[spared.model, False]
    assert keys[windows.model, True] == keys[windows.model, False]
