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
from enlarger.enhance.inference import Inference, plan_for, work_px
from enlarger.enhance.meter import Meter, Progress
from enlarger.enhance.orientations import COUNT
from enlarger.enhance.passes import plan_passes
from enlarger.enhance.recipe import Precision, Recipe
from enlarger.enhance.resample import resample
from enlarger.enhance.residents import Residents
from enlarger.enhance.tile_limits import TileLimits, depends_on_tile
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
        self.limits = TileLimits(self.settings, runtime=device.partition(":")[0])
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
        inference = Inference(recipe, self._session, self._residents.close_all, self.limits, meter, cancel)
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
        graphs = [self.graph(variant) for variant in self.variants(recipe, width, height)]
        reduced = [graph for graph in graphs if depends_on_tile(graph.variant) and self.limits.is_reduced(graph)]
        tiles = [f"tile<={self.limits.limit_px(graph)}" for graph in reduced]
        return recipe.key(picture_sha256, [*(graph.digest for graph in graphs), *tiles])

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
        if not picture.alpha_is_constant:
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
        total_px = self._passes_px(recipe, width, height)
        if picture.alpha is not None and not picture.alpha_is_constant:
            total_px += self._passes_px(replace(recipe, noise=None), width, height)
        return total_px * (COUNT if recipe.tta else 1)

    def _passes_px(self, recipe: Recipe, width: int, height: int) -> int:
        total_px = 0
        for variant in self.variants(recipe, width, height):
            total_px += work_px(plan_for(recipe, self.graph(variant), width, height, self.limits), variant)
            width, height = width * variant.scale, height * variant.scale
        return total_px


def _bled(picture: Picture) -> NDArray[np.uint8]:
    if picture.alpha is None or picture.alpha_is_constant:
        return picture.pixels
    return bleed(picture.pixels, picture.alpha)
