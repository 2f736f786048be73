"""Measures one model on the drawn page, on the middle of it where the whole would take too long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from enlarger.cancel import CancelToken
from enlarger.cli.bench_page import PAGE_PX, region
from enlarger.enhance import Enhancer, Recipe, make_recipe
from enlarger.models import Card
from enlarger.runtimes import choose, list_calibrations, runtimes_for

_STEP_PX = 16
_MIN_SIDE_PX = 64


@dataclass(frozen=True)
class Timing:
    """One model at its default scale, without noise reduction. `region_px` (width, height) is what was measured."""

    model: str
    purpose: str
    scale: int
    region_px: tuple[int, int]
    seconds: float
    device: str
    dtype: str

    @property
    def is_extrapolated(self) -> bool:
        """Whether less than the page was measured."""
        return self.region_px != PAGE_PX

    @property
    def megapixels_per_s(self) -> float:
        """Source pixels in millions."""
        return math.prod(self.region_px) / 1e6 / self.seconds

    @property
    def seconds_per_page(self) -> float:
        """For the whole page, by its pixels."""
        return self.seconds * math.prod(PAGE_PX) / math.prod(self.region_px)


def measure(enhancer: Enhancer, card: Card, device: str, budget_s: float, cancel: CancelToken) -> Timing:
    """Enlarge as much of the page as fits `budget_s`: once to open the model, once against the clock.

    More where the page's tiles share averages (Real-CUGAN) and such a region would be one tile, to be computed once
    where the page is computed several times.

    Raises ModelError, RuntimeFailedError, OutOfMemoryError, CancelledError.
    """
    recipe = make_recipe(enhancer.catalog, model=card.name)
    region_px = fitting_region(expected_megapixels_per_s(enhancer, recipe, device), budget_s)
    region_px = like_the_page(region_px, lambda width, height: enhancer.shares_averages(recipe, width, height))
    picture = region(*region_px)
    enhancer.enlarge(picture, recipe, cancel=cancel)
    started_s = time.perf_counter()
    facts = enhancer.enlarge(picture, recipe, cancel=cancel).facts
    seconds = time.perf_counter() - started_s
    first = facts.passes[0]
    where = f"{first.runtime}:{first.device}"
    return Timing(card.name, card.purpose, int(recipe.scale), region_px, seconds, where, first.dtype)


def fitting_region(megapixels_per_s: float, budget_s: float) -> tuple[int, int]:
    """(width, height) in pixels of what takes about `budget_s`, shaped like the page and at most all of it."""
    return _of_the_page(math.sqrt(min(1.0, megapixels_per_s * budget_s * 1e6 / math.prod(PAGE_PX))))


def like_the_page(region_px: tuple[int, int], shares_averages: Callable[[int, int], bool]) -> tuple[int, int]:
    """The region, or the smallest larger one, whose tiles share averages if those of the page do."""
    if not shares_averages(*PAGE_PX):
        return region_px
    larger = (_of_the_page(percent / 100) for percent in range(1, 100))
    wanted = (each for each in (region_px, *larger) if each >= region_px and shares_averages(*each))
    return next(wanted, PAGE_PX)


def _of_the_page(share: float) -> tuple[int, int]:
    """(width, height) in pixels of a region whose sides are this share of the page's."""
    width, height = (max(_MIN_SIDE_PX, int(side * share) // _STEP_PX * _STEP_PX) for side in PAGE_PX)
    return (width, height) if share < 1 else PAGE_PX


def expected_megapixels_per_s(enhancer: Enhancer, recipe: Recipe, device: str) -> float:
    """What calibration saw, which is done now if it was not; infinite where nothing is calibrated."""
    settings = enhancer.settings
    graph = enhancer.graph(enhancer.variants(recipe, *PAGE_PX)[0])
    runtimes = runtimes_for(device, settings)
    chosen = choose(graph, device=device, precision=recipe.precision, settings=settings, runtimes=runtimes)
    network = graph.variant.name
    found = [each for known in list_calibrations(settings) if known.network == network for each in known.measurements]
    return next((each.megapixels_per_s for each in found if each.candidate == chosen), math.inf)
