"""One picture in, one picture out: the Enhancer keeps models resident and takes a picture through its passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.enhance.facts import Facts, PassFacts
from enlarger.enhance.inference import Inference, plan_for
from enlarger.enhance.meter import Meter, Progress
from enlarger.enhance.orientations import COUNT
from enlarger.enhance.passes import plan_passes
from enlarger.enhance.recipe import Precision, Recipe
from enlarger.enhance.resample import resample
from enlarger.enhance.residents import Residents
from enlarger.enhance.tile_limits import TileLimits
from enlarger.models import Card, Catalog, Graph, Variant, load_catalog, prepare
from enlarger.pictures import Picture, bleed
from enlarger.runtimes import Runtime, Session, open_session
from enlarger.settings import Settings

PrepareGraph: TypeAlias = Callable[[Variant, Settings], Graph]


@dataclass(frozen=True)
class Enlarged:
    """The picture after its passes, and how it came about."""

    picture: Picture
    facts: Facts


class Enhancer:
    """Resident models on one device. Thread-safe: pictures take turns, each with all cores to itself.

    `runtimes` and `prepare_graph` replace what the machine has (tests).
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        device: str = "auto",
        catalog: Catalog | None = None,
        runtimes: Mapping[str, Runtime] | None = None,
        prepare_graph: PrepareGraph = prepare,
    ) -> None:
        self.settings = settings or Settings()
        self.catalog = catalog or load_catalog()
        self.limits = TileLimits(self.settings.data_dir / "tile-limits.json")
        self._device = device
        self._runtimes = runtimes
        self._prepare_graph = prepare_graph
        self._graphs: dict[str, Graph] = {}
        self._residents = Residents()
        self._lock = threading.Lock()
        self._graphs_lock = threading.Lock()

    def enlarge(
        self, picture: Picture, recipe: Recipe, *, progress: Progress | None = None, cancel: CancelToken | None = None
    ) -> Enlarged:
        """The picture through its recipe: colour and alpha through the networks, then resampled to the exact size.

        Raises ModelError, RuntimeFailedError, BadOutputError, OutOfMemoryError, CancelledError.
        """
        height, width = picture.pixels.shape[:2]
        meter = Meter(self._work_px(picture, recipe), progress)
        inference = Inference(recipe, self._session, self.limits, meter, cancel)
        with self._lock:
            colour, passes = self._through(inference, _bled(picture), self.variants(recipe, width, height))
            alpha = self._alpha(inference, picture)
        size = recipe.output_size(width, height)
        enlarged = replace(picture, pixels=resample(colour, *size), alpha=None if alpha is None else alpha[:, :, 0])
        return Enlarged(enlarged, Facts((width, height), size, passes))

    def variants(self, recipe: Recipe, width: int, height: int) -> tuple[Variant, ...]:
        """The networks that a picture of this size passes through."""
        card = self.catalog.find(recipe.model)
        assert isinstance(card, Card)  # a recipe names the card itself
        return plan_passes(card, recipe.noise, recipe.factor(width, height))

    def key(self, recipe: Recipe, picture_sha256: str, width: int, height: int) -> str:
        """The render's key. Where memory once ran out and the network's result depends on the tile, it is another."""
        variants = self.variants(recipe, width, height)
        lowered = [self.limits.limit_px(v.name) for v in variants if not v.local and self.limits.is_lowered(v.name)]
        digests = [self.graph(variant).digest for variant in variants]
        return recipe.key(picture_sha256, [*digests, *(f"tile<={px}" for px in lowered)])

    def graph(self, variant: Variant) -> Graph:
        """The variant's graph, fetched and made on first use."""
        with self._graphs_lock:
            if variant.name not in self._graphs:
                self._graphs[variant.name] = self._prepare_graph(variant, self.settings)
            return self._graphs[variant.name]

    def close(self) -> None:
        """Give all memory back. The Enhancer can be used again."""
        with self._lock:
            self._residents.close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _through(
        self, inference: Inference, plane: NDArray[np.uint8], variants: tuple[Variant, ...]
    ) -> tuple[NDArray[np.uint8], tuple[PassFacts, ...]]:
        passes = []
        for variant in variants:
            plane, facts = inference.run(plane, self.graph(variant))
            passes.append(facts)
        return plane, tuple(passes)

    def _alpha(self, inference: Inference, picture: Picture) -> NDArray[np.uint8] | None:
        if picture.alpha is None:
            return None
        height, width = picture.alpha.shape
        plane = picture.alpha[:, :, np.newaxis]
        if not _is_constant(picture.alpha):
            clean = replace(inference.recipe, noise=None)  # alpha has no JPEG noise to take out
            plane, _ = self._through(inference, plane, self.variants(clean, width, height))
        return resample(plane, *inference.recipe.output_size(width, height))

    def _session(self, graph: Graph, tile: tuple[int, int], precision: Precision) -> Session:
        return self._residents.get(
            (graph.digest, tile, precision),
            lambda: open_session(
                graph,
                tile=tile,
                device=self._device,
                precision=precision,
                settings=self.settings,
                runtimes=self._runtimes,
            ),
        )

    def _work_px(self, picture: Picture, recipe: Recipe) -> int:
        height, width = picture.pixels.shape[:2]
        work_px = self._pass_px(recipe, width, height)
        if picture.alpha is not None and not _is_constant(picture.alpha):
            work_px += self._pass_px(replace(recipe, noise=None), width, height)
        return work_px * (COUNT if recipe.tta else 1)

    def _pass_px(self, recipe: Recipe, width: int, height: int) -> int:
        work_px = 0
        for variant in self.variants(recipe, width, height):
            plan = plan_for(recipe, variant, width, height, self.limits)
            work_px += plan.count * plan.tile[0] * plan.tile[1]
            width, height = width * variant.scale, height * variant.scale
        return work_px


def _bled(picture: Picture) -> NDArray[np.uint8]:
    if picture.alpha is None or _is_constant(picture.alpha):
        return picture.pixels
    return bleed(picture.pixels, picture.alpha)


def _is_constant(plane: NDArray[np.uint8]) -> bool:
    return bool(plane.min() == plane.max())
