"""Sessions kept open between pages: few, never closed in use, and at rest when another is used."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from enlarger.enhance import Enhancer, make_recipe
from enlarger.enhance.residents import Residents, SessionKey
from enlarger.errors import OutOfMemoryError
from enlarger.models import Graph, load_catalog
from enlarger.runtimes import FakeRuntime, FakeSession, Misfortune
from pages import noise, picture

TWICE = make_recipe(load_catalog())


def key(side: int) -> SessionKey:
    return ("auto", "model", "digest", (side, side), 1, "auto")


@pytest.fixture
def opened(runtime: FakeRuntime, identity_graph: Path) -> Opened:
    return Opened(runtime, identity_graph)


class Opened:
    """Residents of fake sessions."""

    def __init__(self, runtime: FakeRuntime, graph: Path) -> None:
        variant = load_catalog().choose("waifu2x-cunet").variant
        self.graph = Graph(graph, "digest", variant, None)
        self.runtime = runtime
        self.residents = Residents(most_open=2)

    def open(self) -> FakeSession:
        return self.runtime.open(self.graph, tile=(64, 64), device="cpu", dtype="fp32", pixels="uint8")

    def use(self, side: int) -> None:
        with self.residents.using(key(side), self.open):
            pass

    @property
    def sides(self) -> list[int]:
        return [key[3][0] for key in self.residents.open_sessions()]


def test_the_least_recently_used_is_closed(opened: Opened) -> None:
    for side in (1, 2, 1, 3):
        opened.use(side)
    assert opened.sides == [1, 3]
    assert opened.runtime.sessions_opened == 3


def test_what_is_in_use_is_never_closed(opened: Opened) -> None:
    with ExitStack() as nested:
        for side in (1, 2, 3, 4):
            nested.enter_context(opened.residents.using(key(side), opened.open))
        opened.residents.close_idle()
        assert (opened.sides, opened.residents.in_use) == ([1, 2, 3, 4], True)
    assert not opened.residents.in_use
    opened.use(5)
    assert opened.sides == [4, 5]  # room is made again once it can be


def test_one_session_may_be_in_use_twice(opened: Opened) -> None:
    with opened.residents.using(key(1), opened.open):
        opened.use(1)
        opened.residents.close_idle()
        assert opened.sides == [1]
    opened.residents.close_idle()
    assert opened.sides == []


def test_a_session_that_does_not_open_is_not_in_use(opened: Opened) -> None:
    opened.runtime.misfortune = Misfortune()
    with pytest.raises(OutOfMemoryError), opened.residents.using(key(1), _fail):
        pass
    assert not opened.residents.in_use


def _fail() -> FakeSession:
    from enlarger.messages import msg

    raise OutOfMemoryError(msg("None."))


def test_only_the_session_in_use_keeps_what_runs_need(opened: Opened) -> None:
    opened.use(1)
    opened.use(1)
    assert opened.runtime.sessions_rested == 0  # page after page of one shape
    opened.use(2)
    assert opened.runtime.sessions_rested == 1
    with opened.residents.using(key(2), opened.open):
        opened.use(1)
    assert opened.runtime.sessions_rested == 2  # that of 1 as it was taken up, never that of 2


def test_a_picture_enlarged_between_two_tiles_of_another_leaves_it_as_it_was(
    enhancer: Enhancer, runtime: FakeRuntime
) -> None:
    recipe = replace(TWICE, tile_px=32)
    outer, inner = noise(1, 150, 150), noise(2, 60, 40)
    within: list[np.ndarray] = []

    def interrupt(_share: float) -> None:
        if runtime.tiles_run == 2 and not within:
            within.append(enhancer.enlarge(picture(inner), recipe).picture.pixels)
            enhancer.close()  # closes nothing that is in use

    enlarged = enhancer.enlarge(picture(outer), recipe, progress=interrupt)
    assert np.array_equal(enlarged.picture.pixels, outer.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(within[0], inner.repeat(2, 0).repeat(2, 1))
    together = runtime.tiles_run
    inner_tiles = enhancer.enlarge(picture(inner), recipe).facts.passes[0].tiles
    assert together == enlarged.facts.passes[0].tiles + inner_tiles  # none twice


def test_the_time_another_picture_took_is_not_this_ones(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    now = [0.0]
    runtime.misfortune = Misfortune(delay_s=1.0)
    runtime.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.perf_counter", lambda: now[0])
        enlarged = enhancer.enlarge(
            picture(noise(1, 90, 90)),
            replace(TWICE, tile_px=32),
            progress=lambda _share: now.__setitem__(0, now[0] + 100.0),
        )
    (facts,) = enlarged.facts.passes
    assert facts.seconds == facts.tiles


def test_short_memory_is_not_blamed_on_the_picture_that_interrupts(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    errors: list[OutOfMemoryError] = []

    def interrupt(_share: float) -> None:
        if not errors:
            runtime.misfortune = Misfortune(out_of_memory_above_px=1)
            with pytest.raises(OutOfMemoryError) as caught:
                enhancer.enlarge(picture(noise(2, 200, 200)), TWICE)
            errors.append(caught.value)
            runtime.misfortune = Misfortune()

    enhancer.enlarge(picture(noise(1, 90, 90)), replace(TWICE, tile_px=32), progress=interrupt)
    assert errors
    assert not (enhancer.settings.data_dir / "tile-limits.json").exists()


def test_a_sibling_on_another_device_shares_all_but_the_device(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    sibling = enhancer.on("fake:cpu")
    for each in (enhancer, sibling):
        each.enlarge(picture(noise(1, 30, 30)), TWICE)
    assert runtime.sessions_opened == 2
    assert enhancer.resident() == sibling.resident()
    assert [model for model, _spec in enhancer.resident()] == ["MODEL_WAIFU2X_CUNET_UP2X"] * 2
    sibling.close()
    assert runtime.sessions_closed == 2


@pytest.mark.parametrize("has_flat_areas", [False, True])
def test_warming_opens_what_a_page_of_that_size_needs(
    enhancer: Enhancer, runtime: FakeRuntime, has_flat_areas: bool
) -> None:
    enhancer.warm(TWICE, 1400, 2000)
    opened = runtime.sessions_opened
    assert (opened, runtime.tiles_run) == (3, 0)
    page = noise(1, 1400, 2000)
    if has_flat_areas:
        page[300:] = 255
    facts = enhancer.enlarge(picture(page), TWICE).facts.passes[0]
    assert (facts.filled_share > 0.5) == has_flat_areas
    assert runtime.sessions_opened == opened


def test_warming_a_second_model_keeps_the_first_open(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    names = ["waifu2x-cunet", "realesr-animevideov3", "waifu2x-upconv7-anime", "realcugan-se"]
    for name in names:
        enhancer.warm(make_recipe(enhancer.catalog, model=name), 1400, 2000)
    assert len({model for model, _spec in enhancer.resident()}) == len(names)
