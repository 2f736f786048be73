"""`enlarger bench`: what is measured, what is reckoned, and which model is recommended."""

from __future__ import annotations

from math import inf
from pathlib import Path

import numpy as np
import pytest
from command_running import SMALL_MODEL, Enlarger, require_weights
from hypothesis import given
from hypothesis import strategies as st

from enlarger.cli.bench import POPULAR, recommended
from enlarger.cli.bench_page import PAGE_PX, region
from enlarger.cli.bench_run import Timing, expected_megapixels_per_s, fitting_region, like_the_page
from enlarger.enhance import Enhancer, make_recipe
from enlarger.models import Card, load_catalog
from enlarger.runtimes import Calibration, Candidate, Measurement, list_devices
from enlarger.runtimes.devices import known_runtimes
from enlarger.runtimes.opening import calibration_store
from enlarger.settings import Settings


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def timing(model: str, seconds: float, purpose: str = "art", region_px: tuple[int, int] = PAGE_PX) -> Timing:
    return Timing(model, purpose, 2, region_px, seconds, "fake:cpu", "fp32")


def test_the_slowest_that_keeps_up_is_recommended() -> None:
    timings = [timing("light", 1), timing("photo", 5, "photo"), timing("good", 4), timing("heavy", 30)]
    assert recommended(timings).model == "good"


def test_if_only_photographs_keep_up_that_is_better_than_nothing() -> None:
    assert recommended([timing("photo", 5, "photo"), timing("heavy", 30)]).model == "photo"


def test_if_none_keeps_up_the_fastest_is_named() -> None:
    assert recommended([timing("heavy", 30), timing("heavier", 60)]).model == "heavy"


def test_a_region_is_reckoned_by_its_pixels() -> None:
    quarter = timing("slow", 3, region_px=(700, 1000))
    assert quarter.is_extrapolated
    assert quarter.seconds_per_page == pytest.approx(12)
    assert quarter.megapixels_per_s == pytest.approx(0.7 / 3)
    assert not timing("fast", 1).is_extrapolated


@given(st.floats(1e-4, 100), st.floats(0.1, 10))
def test_a_region_lies_in_the_page_and_keeps_the_budget(megapixels_per_s: float, budget_s: float) -> None:
    width, height = fitting_region(megapixels_per_s, budget_s)
    assert 64 <= width <= PAGE_PX[0]
    assert 64 <= height <= PAGE_PX[1]
    assert width * height <= max(megapixels_per_s * budget_s * 1e6, 64 * 96)


def test_what_is_not_calibrated_is_measured_whole() -> None:
    assert fitting_region(inf, 1.0) == PAGE_PX


def test_a_region_grows_until_its_tiles_share_averages_as_those_of_the_page() -> None:
    width, height = like_the_page((272, 384), lambda width, height: width * height > 500_000)
    assert 500_000 < width * height < 550_000
    assert like_the_page((700, 1000), lambda width, height: width * height > 500_000) == (700, 1000)


def test_a_region_stays_where_not_even_the_page_shares_averages() -> None:
    assert like_the_page((272, 384), lambda _width, _height: False) == (272, 384)


def test_where_only_the_page_shares_averages_it_is_measured_whole() -> None:
    assert like_the_page((272, 384), lambda *size: size == PAGE_PX) == PAGE_PX


@pytest.mark.weights
def test_the_speed_is_that_of_the_network_not_of_another_of_its_card(enlarger: Enlarger) -> None:
    require_weights()
    settings = Settings()
    assert settings.data_dir == enlarger.data_dir
    enhancer = Enhancer(settings)
    recipe = make_recipe(enhancer.catalog, model=SMALL_MODEL)
    network = enhancer.variants(recipe, *PAGE_PX)[0].name
    candidates = [Candidate(each.runtime, each.id, dtype) for each in list_devices(settings) for dtype in each.dtypes]
    store = calibration_store(settings, known_runtimes(settings))
    for name, speed in (("MODEL_AAA_OF_THE_SAME_CARD", 9.0), (network, 0.25)):
        measured = tuple(Measurement(each, speed, 120.0) for each in candidates)
        store.put(Calibration(SMALL_MODEL, name, (160, 160), measured))
    assert expected_megapixels_per_s(enhancer, recipe, "auto") == 0.25


def test_the_page_has_lines_and_tone_everywhere() -> None:
    page = region(*PAGE_PX)
    assert page.pixels.shape == (2000, 1400, 1)
    blocks = page.pixels[:1984, :1344, 0].reshape(31, 64, 21, 64).std(axis=(1, 3))
    assert blocks.min() > 3  # no block is flat, or a network's shortcuts would be measured
    assert np.array_equal(region(100, 100).pixels[:, :, 0], page.pixels[950:1050, 650:750, 0])


def test_the_popular_models_are_in_the_catalog() -> None:
    assert all(isinstance(load_catalog().find(name), Card) for name in POPULAR)


@pytest.mark.weights
def test_the_command_measures_and_recommends(enlarger: Enlarger) -> None:
    require_weights()
    done = enlarger("bench", "--model", SMALL_MODEL, "--device", "fake", "--json")
    assert done.code == 0
    assert done.json["recommended"] == SMALL_MODEL
    (model,) = done.json["models"]
    assert model["name"] == SMALL_MODEL
    assert model["measured"] == list(PAGE_PX)
    assert model["secondsPerPage"] > 0
    assert model["device"] == "fake:cpu"


@pytest.mark.weights
def test_a_person_gets_a_table_and_a_recommendation(enlarger: Enlarger) -> None:
    require_weights()
    done = enlarger("bench", "--model", SMALL_MODEL, "--device", "fake")
    assert "1400 x 2000" in done.out
    assert f"Recommended: {SMALL_MODEL}" in done.out
    assert f"Measuring {SMALL_MODEL}" in done.err


def test_without_weights_there_is_nothing_to_measure(enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch) -> None:
    from enlarger.models import sources

    monkeypatch.setattr(sources, "find_spec", lambda _name: None)  # no package is installed
    done = enlarger("bench", "--quick", "--json")
    assert done.code == 4
    assert done.json["error"]["code"] == "weights_missing"
    assert POPULAR[0] in done.json["error"]["remedy"]
