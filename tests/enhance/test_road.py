"""The road: pages in order, each stored before it is told of, one bad page stopping nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from enlarger.enhance import Enhancer, RenderCache, Rendering, Road, Source, make_recipe
from enlarger.errors import BadOutputError, CancelledError, PictureError, RuntimeFailedError, WeightsMissingError
from enlarger.messages import msg
from enlarger.models import load_catalog
from enlarger.pictures import decode
from enlarger.runtimes import FakeRuntime, Misfortune
from pages import noise

TWICE = make_recipe(load_catalog())
MakePage = Callable[..., bytes]


@pytest.fixture
def road(enhancer: Enhancer, cache: RenderCache) -> Road:
    return Road(Rendering(enhancer, cache, TWICE))


def sources(page: MakePage, *seeds: int) -> list[Source]:
    return [Source(f"{seed}.png", lambda seed=seed: page(seed)) for seed in seeds]


def test_pages_come_out_in_order_and_stored(road: Road, cache: RenderCache, page: MakePage) -> None:
    results = list(road.run(sources(page, *range(7))))
    assert [result.name for result in results] == [f"{seed}.png" for seed in range(7)]
    for seed, result in enumerate(results):
        assert result.render is not None
        assert cache.get(result.render.key) == result.render
        pixels = decode(result.render.path.read_bytes(), name="x").pixels
        assert np.array_equal(pixels, noise(seed, 40, 50).repeat(2, 0).repeat(2, 1))


def test_what_is_cached_is_not_computed_again(road: Road, runtime: FakeRuntime, page: MakePage) -> None:
    first = list(road.run(sources(page, 1, 2)))
    tiles = runtime.tiles_run
    again = list(road.run(sources(page, 1, 2)))
    assert runtime.tiles_run == tiles
    assert [r.computed for r in first] + [r.computed for r in again] == [True, True, False, False]
    assert [r.render and r.render.path for r in first] == [r.render and r.render.path for r in again]


def test_one_bad_page_stops_nobody(road: Road, page: MakePage) -> None:
    pages = [*sources(page, 1), Source("broken.png", lambda: page(2)[:200]), *sources(page, 3)]
    results = list(road.run(pages))
    assert [type(result.error) for result in results] == [type(None), PictureError, type(None)]
    assert "broken.png" in str(results[1].error)


def test_a_page_the_model_fails_on_stops_nobody(road: Road, runtime: FakeRuntime, page: MakePage) -> None:
    runtime.misfortune = Misfortune(fail_at_tile=2)
    results = list(road.run(sources(page, 1, 2, 3)))
    assert [type(result.error) for result in results] == [type(None), RuntimeFailedError, type(None)]


def test_bad_output_is_never_stored(road: Road, runtime: FakeRuntime, cache: RenderCache, page: MakePage) -> None:
    runtime.misfortune = Misfortune(output="black")
    results = list(road.run(sources(page, 1)))
    assert isinstance(results[0].error, BadOutputError)
    assert cache.stats().total_files == 0


def test_missing_weights_end_the_road(enhancer: Enhancer, cache: RenderCache, page: MakePage) -> None:
    def missing(*_: object) -> None:
        raise WeightsMissingError(msg("No weights."))

    enhancer._prepare_graph = missing  # type: ignore[assignment]
    with pytest.raises(WeightsMissingError):
        list(Road(Rendering(enhancer, cache, TWICE)).run(sources(page, 1)))


def test_cancel_ends_the_road_and_keeps_what_was_done(
    road: Road, runtime: FakeRuntime, cache: RenderCache, page: MakePage
) -> None:
    stop = threading.Event()
    results = road.run(sources(page, *range(20)), cancel=stop)
    next(results)
    stop.set()
    with pytest.raises(CancelledError):
        list(results)
    assert runtime.tiles_run < 6
    assert cache.stats().total_files >= 1
    assert threading.active_count() < 5 or all(
        not t.name.startswith(("decode", "encode")) for t in threading.enumerate()
    )


def test_reading_stays_a_page_ahead_and_no_further(road: Road, page: MakePage) -> None:
    read: list[int] = []

    def source(seed: int) -> Source:
        def read_page() -> bytes:
            read.append(seed)
            return page(seed)

        return Source(str(seed), read_page)

    results = road.run(source(seed) for seed in range(30))
    for _ in range(3):
        next(results)
    assert len(read) <= 3 + 4  # out, behind, inferring, ahead
    results.close()


def test_the_wanted_format_is_met(enhancer: Enhancer, cache: RenderCache, page: MakePage) -> None:
    for asked, suffix in (("same", ".png"), ("jpeg", ".jpg"), ("webp", ".webp")):
        rendering = Rendering(enhancer, cache, replace(TWICE, format=asked))
        assert rendering.render(Source.of_bytes(page(1))).suffix == suffix
