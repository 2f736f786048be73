"""One picture in, one picture out: colour, grey, alpha, orientations, memory and bad output."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enlarger.enhance import Enhancer, Recipe, make_recipe
from enlarger.enhance.residents import MOST_OPEN
from enlarger.errors import BadOutputError, CancelledError, OutOfMemoryError
from enlarger.models import load_catalog
from enlarger.runtimes import FakeRuntime, Misfortune
from pages import noise, picture

CATALOG = load_catalog()
TWICE = make_recipe(CATALOG)


def tiled(recipe: Recipe = TWICE) -> Recipe:
    return replace(recipe, tile_px=32)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]), st.booleans(), st.sampled_from([2.0, 4.0]))
def test_a_nearest_neighbour_network_gives_the_nearest_neighbour_picture(
    enhancer: Enhancer, width: int, height: int, channels: int, tta: bool, scale: float
) -> None:
    pixels = noise(width, width, height, channels)
    recipe = tiled(make_recipe(CATALOG, scale=scale, tta=tta))
    enlarged = enhancer.enlarge(picture(pixels), recipe).picture
    assert np.array_equal(enlarged.pixels, pixels.repeat(int(scale), 0).repeat(int(scale), 1))


def test_alpha_goes_through_the_model_and_comes_back(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    alpha = noise(2, 30, 20, 1)[:, :, 0]
    enlarged = enhancer.enlarge(picture(noise(1, 30, 20), alpha), TWICE).picture
    assert enlarged.alpha is not None
    assert np.array_equal(enlarged.alpha, alpha.repeat(2, 0).repeat(2, 1))
    assert runtime.tiles_run == 2


def test_constant_alpha_costs_no_tile(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    alpha = np.broadcast_to(np.uint8(255), (20, 30))  # as decoding leaves it
    enlarged = enhancer.enlarge(picture(noise(1, 30, 20), alpha), TWICE).picture
    assert enlarged.alpha is not None
    assert enlarged.alpha.shape == (40, 60)
    assert (enlarged.alpha == 255).all()
    assert runtime.tiles_run == 1


@pytest.mark.parametrize("model", ["RealESRGAN_x4plus_anime_6B", "realesr-animevideov3"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_a_denoised_share_comes_before_the_network_and_alpha_has_none(
    enhancer: Enhancer, runtime: FakeRuntime, model: str, scale: int
) -> None:
    recipe = make_recipe(CATALOG, model=model, scale=scale, denoise="medium")
    alpha = noise(2, 30, 20, 1)[:, :, 0]
    enlarged = enhancer.enlarge(picture(noise(1, 30, 20), alpha), recipe)
    first, second = enlarged.facts.passes
    assert first.variant.startswith("MODEL_WAIFU2X_CUNET_UP1X_DENOISE")
    assert second.variant.startswith("MODEL_REALESRGAN_")
    assert enlarged.picture.pixels.shape == (20 * scale, 30 * scale, 3)
    assert enlarged.picture.alpha is not None
    assert enlarged.picture.alpha.shape == (20 * scale, 30 * scale)
    assert runtime.tiles_run == (2 if scale == 1 else 3)  # alpha that keeps its size needs no network


def test_only_so_much_of_the_denoised_picture_is_taken(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    """The fake with a pooling gives another brightness, as if it had denoised."""
    runtime.poolings = 1
    recipe = replace(make_recipe(CATALOG, model="realesr-animevideov3", scale=1), denoise=1.0)
    pixels = np.full((20, 30, 3), 40, np.uint8)
    pixels[::2] = 120
    mean = {
        share: float(enhancer.enlarge(picture(pixels), replace(recipe, denoise=share)).picture.pixels.mean())
        for share in (1e-9, 0.5, 1.0)
    }
    assert mean[1e-9] > mean[0.5] > mean[1.0]
    assert mean[0.5] == pytest.approx((mean[1e-9] + mean[1.0]) / 2, abs=1)


def test_the_denoiser_is_in_the_key(enhancer: Enhancer) -> None:
    recipe = make_recipe(CATALOG, model="realesr-animevideov3", denoise="medium")
    names = [variant.name for variant in enhancer.variants(recipe, 30, 20)]
    assert len(names) == 2
    graphs = [f"digest of {name}" for name in names]
    assert enhancer.key(recipe, "s" * 64, 30, 20) == recipe.key("s" * 64, [*graphs, "fake"])


def test_what_the_fake_makes_is_never_taken_for_a_real_render(enhancer: Enhancer) -> None:
    keys = {enhancer.on(device).key(TWICE, "s" * 64, 30, 20) for device in ("auto", "cpu", "vulkan:0")}
    fakes = {enhancer.on(device).key(TWICE, "s" * 64, 30, 20) for device in ("fake", "fake:cpu")}
    assert (len(keys), len(fakes)) == (1, 1)
    assert keys.isdisjoint(fakes)


@pytest.mark.parametrize(
    ("asked", "size"),
    [({"scale": 1.5}, (45, 30)), ({"scale": 3}, (90, 60)), ({"width": 100}, (100, 67)), ({"height": 10}, (15, 10))],
)
def test_any_size_is_met_exactly(enhancer: Enhancer, asked: dict[str, int], size: tuple[int, int]) -> None:
    enlarged = enhancer.enlarge(picture(noise(1, 30, 20)), make_recipe(CATALOG, **asked))
    assert enlarged.picture.pixels.shape == (size[1], size[0], 3)
    assert enlarged.facts.size == size


def test_progress_rises_to_one(enhancer: Enhancer) -> None:
    seen: list[float] = []
    enhancer.enlarge(picture(noise(1, 80, 60)), tiled(make_recipe(CATALOG, scale=4)), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 4


def test_cancel_is_read_between_tiles(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    stop = threading.Event()

    def after_two(_share: float) -> None:
        if runtime.tiles_run == 2:
            stop.set()

    with pytest.raises(CancelledError):
        enhancer.enlarge(picture(noise(1, 200, 200)), tiled(), progress=after_two, cancel=stop)
    assert runtime.tiles_run <= 3


def test_memory_that_runs_out_halves_the_tile_and_is_remembered(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    runtime.misfortune = Misfortune(out_of_memory_above_px=128 * 128)
    pixels = noise(1, 300, 200)
    enlarged = enhancer.enlarge(picture(pixels), TWICE)
    assert np.array_equal(enlarged.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
    assert np.prod(enlarged.facts.passes[0].tile) <= 128 * 128
    failures_until_now = runtime.tiles_run - enlarged.facts.passes[0].tiles
    assert failures_until_now > 0
    before = runtime.tiles_run
    anew = Enhancer(enhancer.settings, runtimes={"fake": runtime}, prepare_graph=enhancer._prepare_graph)
    anew.enlarge(picture(pixels), TWICE)
    assert runtime.tiles_run - before == enlarged.facts.passes[0].tiles  # no second failure, in a new process either


def test_a_lowered_tile_gives_another_key_where_the_result_depends_on_it(enhancer: Enhancer) -> None:
    local = make_recipe(CATALOG, model="realesr-animevideov3")
    before = [enhancer.key(recipe, "s" * 64, 300, 200) for recipe in (TWICE, local)]
    for recipe in (TWICE, local):
        enhancer.limits.lower(enhancer.variants(recipe, 300, 200)[0], (256, 256))
    after = [enhancer.key(recipe, "s" * 64, 300, 200) for recipe in (TWICE, local)]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_broken_memory_of_limits_is_no_memory(enhancer: Enhancer) -> None:
    path: Path = enhancer.settings.data_dir / "tile-limits.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"MODEL_WAIFU2X_CUNET_UP2X": "many"')
    anew = Enhancer(enhancer.settings)
    graph = enhancer.graph(anew.variants(TWICE, 10, 10)[0])
    assert not anew.limits.is_reduced(graph)


def test_a_tile_that_never_fits_is_an_error_in_the_end(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    runtime.misfortune = Misfortune(out_of_memory_above_px=1)
    with pytest.raises(OutOfMemoryError):
        enhancer.enlarge(picture(noise(1, 300, 200)), TWICE)


@pytest.mark.parametrize("output", ["nan", "black", "constant"])
def test_bad_output_is_computed_again_in_fp32(enhancer: Enhancer, runtime: FakeRuntime, output: str) -> None:
    runtime.misfortune = Misfortune(output=output, output_dtypes=("bf16",))
    pixels = noise(1, 40, 30)
    enlarged = enhancer.enlarge(picture(pixels), TWICE)
    assert np.array_equal(enlarged.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
    assert (enlarged.facts.passes[0].dtype, enlarged.facts.passes[0].retried) == ("fp32", True)


@pytest.mark.parametrize("output", ["nan", "black", "constant"])
def test_bad_output_in_fp32_too_is_an_error(enhancer: Enhancer, runtime: FakeRuntime, output: str) -> None:
    runtime.misfortune = Misfortune(output=output)
    with pytest.raises(BadOutputError, match="MODEL_WAIFU2X_CUNET_UP2X"):
        enhancer.enlarge(picture(noise(1, 40, 30)), TWICE)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_page_is_no_bad_output(enhancer: Enhancer, level: int) -> None:
    pixels = np.full((30, 40, 3), level, np.uint8)
    pixels[3, 3] = 255 - level  # a speck of dust, which a denoising network may rightly remove
    assert enhancer.enlarge(picture(pixels), TWICE).facts.passes[0].retried is False


def test_sessions_are_resident_and_few(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    for _ in range(3):
        enhancer.enlarge(picture(noise(1, 40, 30)), TWICE)
    assert runtime.sessions_opened == 1
    for side in range(1, 8):
        enhancer.enlarge(picture(noise(1, side * 64, 30)), TWICE)
    assert runtime.sessions_opened - runtime.sessions_closed <= MOST_OPEN
    enhancer.close()
    assert runtime.sessions_opened == runtime.sessions_closed


def test_threads_take_turns(enhancer: Enhancer) -> None:
    pages = [noise(seed, 60, 50) for seed in range(6)]
    results: dict[int, np.ndarray] = {}

    def enlarge(index: int) -> None:
        results[index] = enhancer.enlarge(picture(pages[index]), tiled()).picture.pixels

    threads = [threading.Thread(target=enlarge, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[i], pages[i].repeat(2, 0).repeat(2, 1)) for i in range(6))
