"""One picture in, one picture out: the Enhancer keeps models resident and takes a picture through its passes."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from enlarger.cancel import CancelToken
from enlarger.enhance.denoise import DENOISER, blend
from enlarger.enhance.facts import Facts, PassFacts, summed
from enlarger.enhance.frames import repeats
from enlarger.enhance.inference import Inference, batch_for, plan_for, press_among, work_px
from enlarger.enhance.meter import Meter, Progress
from enlarger.enhance.orientations import COUNT
from enlarger.enhance.passes import plan_passes, plan_restoring
from enlarger.enhance.recipe import Precision, Recipe
from enlarger.enhance.resample import resample
from enlarger.enhance.residents import MOST_OPEN, Residents
from enlarger.enhance.shared_averages import shares_averages
from enlarger.enhance.sparing import may_spare
from enlarger.enhance.tile_limits import TileLimits, depends_on_tile
from enlarger.enhance.tiles import TilePlan
from enlarger.models import Card, Catalog, Graph, Variant, load_catalog, prepare
from enlarger.pictures import Frame, Picture, Pixels, bleed
from enlarger.runtimes import UINT8, Runtime, Session, SessionSpec, device_memory_bytes, is_fake, open_session
from enlarger.settings import Settings

PrepareGraph: TypeAlias = Callable[[Variant, Settings], Graph]


@dataclass(frozen=True)
class Enlarged:
    """The picture after its passes, and how it came about."""

    picture: Picture
    facts: Facts


@dataclass(frozen=True)
class _Ways:
    """The graphs that a picture's planes go through, decided before it starts; alpha may need none."""

    colour: tuple[Graph, ...]
    alpha: tuple[Graph, ...]


class Enhancer:
    """Resident models on one device. Thread-safe: pictures take turns, each with all cores to itself.

    Between two tiles of one picture, in its `progress`, the same thread may enlarge another: the interrupted one
    keeps its session and goes on where it stood. If memory runs out for the inner one, OutOfMemoryError says so
    at once, without smaller tiles: it may fit when the outer one is done.

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
        self.catalog = catalog or load_catalog(self.settings)
        self._sharers = 1
        self.limits = self._limits_on(device)
        self.device = device
        self._runtimes = runtimes
        self._prepare_graph = prepare_graph
        self._graphs: dict[str, Graph] = {}
        self._residents = Residents()
        self._lock = threading.RLock()  # entered again by a picture that interrupts another
        self._graphs_lock = threading.Lock()

    def enlarge(
        self, picture: Picture, recipe: Recipe, *, progress: Progress | None = None, cancel: CancelToken | None = None
    ) -> Enlarged:
        """The picture through its recipe: colour and alpha through the networks, then resampled to the exact size.

        Raises ModelError, RuntimeFailedError, BadOutputError, OutOfMemoryError, CancelledError.
        """
        height, width = picture.pixels.shape[:2]
        ways = self._ways(picture, recipe)
        shots = tuple(repeats(picture.frames))
        work_px = self._work_px(ways, recipe, width, height) * shots.count(None)
        meter = Meter(work_px, progress)
        inference = self._inference(recipe, meter, cancel)
        with self._lock:
            frames, passes = _all_frames(inference, picture.frames, shots, ways)
        return Enlarged(picture.with_frames(frames), Facts((width, height), recipe.output_size(width, height), passes))

    def _inference(self, recipe: Recipe, meter: Meter, cancel: CancelToken | None) -> Inference:
        return Inference(
            recipe,
            self._session,
            self._residents,
            self.limits,
            meter,
            cancel,
            spares_flat=self.settings.spare_flat,
        )

    def variants(self, recipe: Recipe, width: int, height: int) -> tuple[Variant, ...]:
        """The networks that a picture of this size passes through."""
        card = self._card(recipe.model)
        passes = plan_passes(card, recipe.noise, recipe.factor(width, height))
        if not passes and recipe.keeps_size:
            passes = plan_restoring(card)
        return (self._denoiser(recipe), *passes) if recipe.denoise else passes

    def key(self, recipe: Recipe, picture_sha256: str, width: int, height: int) -> str:
        """The render's key. Where the network's result depends on the tile, it is another once memory ran out.

        And another where flat areas are computed that might be filled; what the fake makes is never taken for a real
        render.
        """
        graphs = [self.graph(variant) for variant in self.variants(recipe, width, height)]
        dependent = [graph for graph in graphs if depends_on_tile(graph.variant)]
        tiles = [f"tile<={self.limits.limit_px(graph)}" for graph in dependent if self.limits.is_reduced(graph)]
        fills = self.settings.spare_flat or not any(may_spare(graph.variant) for graph in graphs)
        areas = [] if fills else ["flat areas computed"]
        fake = ["fake"] if is_fake(self.device) else []
        return recipe.key(picture_sha256, [*(graph.digest for graph in graphs), *tiles, *areas, *fake])

    def graph(self, variant: Variant) -> Graph:
        """The variant's graph, fetched and made on first use."""
        if known := self._graphs.get(variant.name):  # without the lock: another model may be on its way for minutes
            return known
        with self._graphs_lock:
            if variant.name not in self._graphs:
                self._graphs[variant.name] = self._prepare_graph(variant, self.settings)
            return self._graphs[variant.name]

    def _card(self, name: str) -> Card:
        card = self.catalog.find(name)
        assert isinstance(card, Card)  # a recipe names the card itself
        return card

    def _denoiser(self, recipe: Recipe) -> Variant:
        return self._card(DENOISER).variant(1, recipe.denoise_level)

    def on(self, device: str) -> Enhancer:
        """One for another device that shares everything else: graphs, room for open sessions, and the turns."""
        sibling = copy.copy(self)
        sibling.device = device
        sibling.limits = sibling._limits_on(device)
        return sibling

    def beside(self, sharers: int, threads: int) -> Enhancer:
        """One that plans with another part of the memory and opens with so many threads, and shares everything else."""
        sibling = copy.copy(self)
        sibling.settings = self.settings.model_copy(update={"threads": threads})
        sibling.share_memory(sharers)
        return sibling

    def share_memory(self, sharers: int) -> None:
        """Plan with one of so many equal parts of the memory: others work beside this one. Before the first picture."""
        self._sharers = sharers
        self.limits = self._limits_on(self.device)

    def _limits_on(self, device: str) -> TileLimits:
        held = device_memory_bytes(device, self.settings)
        return TileLimits(self.settings, device=device, sharers=self._sharers, device_bytes=held)

    def warm(self, recipe: Recipe, width: int, height: int) -> None:
        """Open what a picture of this size will need, flat areas or none; raises as `enlarge` does."""
        with self._lock:
            for graph, plan in self._planned(recipe, self._graphs_for(recipe, width, height), width, height):
                for tile in dict.fromkeys((*self._shapes_among(recipe, graph, plan), plan.tile)):
                    batch = batch_for(recipe, graph, tile, plan.count, self.limits)
                    with self._session(graph, tile, batch, recipe.precision, UINT8):
                        pass

    def _shapes_among(self, recipe: Recipe, graph: Graph, plan: TilePlan) -> tuple[tuple[int, int], ...]:
        """Tiles for pages with flat areas, unless they would push out what was opened for another model."""
        press = press_among(recipe, graph, plan, self.limits)
        has_room = len(self._residents.open_sessions()) + len(press.shapes) < MOST_OPEN
        fills = self.settings.spare_flat and may_spare(graph.variant) and press.works
        return press.shapes if fills and has_room else ()

    def shares_averages(self, recipe: Recipe, width: int, height: int) -> bool:
        """Whether a picture of this size is cut into tiles that share its averages: several times the work a pixel."""
        planned = self._planned(recipe, self._graphs_for(recipe, width, height), width, height)
        return any(shares_averages(plan, graph.variant) for graph, plan in planned)

    def resident(self) -> tuple[tuple[str, SessionSpec], ...]:
        """The open sessions: a variant's name, and what it runs on."""
        with self._lock:
            return tuple((key[1], session.spec) for key, session in self._residents.open_sessions().items())

    def rest(self) -> None:
        """Give back the memory that only computing needs: most of it. Models stay open."""
        with self._lock:
            self._residents.rest()

    def refresh(self) -> None:
        """Forget which models there are: the next picture sees what was fetched, added or removed since.

        A picture that is being enlarged keeps its graphs.
        """
        self.catalog.refresh()
        with self._graphs_lock:
            self._graphs.clear()

    def close(self) -> None:
        """Give all memory back, but for what an interrupted picture holds. The Enhancer can be used again."""
        with self._lock:
            self._residents.close_idle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _session(
        self, graph: Graph, tile: tuple[int, int], batch: int, precision: Precision, pixels: str
    ) -> AbstractContextManager[Session]:
        open_it = partial(
            open_session,
            graph,
            tile=tile,
            batch=batch,
            device=self.device,
            precision=precision,
            settings=self.settings,
            runtimes=self._runtimes,
            pixels=pixels,
        )
        threads = self.settings.threads
        key = (self.device, graph.variant.name, graph.digest, tile, batch, precision, pixels, threads)
        return self._residents.using(key, open_it)

    def _ways(self, picture: Picture, recipe: Recipe) -> _Ways:
        height, width = picture.pixels.shape[:2]
        colour = self._graphs_for(recipe, width, height)
        if recipe.keeps_size or not any(_has_shape(frame.alpha) for frame in picture.frames):
            return _Ways(colour, ())
        return _Ways(colour, self._graphs_for(_of_alpha(recipe), width, height))

    def _graphs_for(self, recipe: Recipe, width: int, height: int) -> tuple[Graph, ...]:
        return tuple(self.graph(variant) for variant in self.variants(recipe, width, height))

    def _work_px(self, ways: _Ways, recipe: Recipe, width: int, height: int) -> int:
        total_px = sum(self._passes_px(recipe, way, width, height) for way in (ways.colour, ways.alpha))
        return total_px * (COUNT if recipe.tta else 1)

    def _passes_px(self, recipe: Recipe, graphs: tuple[Graph, ...], width: int, height: int) -> int:
        return sum(work_px(plan, graph.variant) for graph, plan in self._planned(recipe, graphs, width, height))

    def _planned(
        self, recipe: Recipe, graphs: tuple[Graph, ...], width: int, height: int
    ) -> Iterator[tuple[Graph, TilePlan]]:
        for graph in graphs:
            yield graph, plan_for(recipe, graph, width, height, self.limits)
            width, height = width * graph.variant.scale, height * graph.variant.scale


def _all_frames(
    inference: Inference, frames: tuple[Frame, ...], shots: tuple[int | None, ...], ways: _Ways
) -> tuple[tuple[Frame, ...], tuple[PassFacts, ...]]:
    """Every frame enlarged, those that come again only once; the passes are the first frame's, their seconds all's."""
    done: list[Frame] = []
    every: list[tuple[PassFacts, ...]] = []
    for frame, same_as in zip(frames, shots, strict=True):
        if same_as is not None:
            done.append(done[same_as])
            continue
        enlarged, passes = _one_frame(inference, frame, ways)
        done.append(enlarged)
        every.append(passes)
    return tuple(done), tuple(summed(passes) for passes in zip(*every, strict=True))


def _one_frame(inference: Inference, frame: Frame, ways: _Ways) -> tuple[Frame, tuple[PassFacts, ...]]:
    size = inference.recipe.output_size(frame.pixels.shape[1], frame.pixels.shape[0])
    colour, passes = _through(inference, _bled(frame), ways.colour)
    alpha = _alpha(inference, frame, ways.alpha, size)
    return Frame(resample(colour, *size), alpha), passes


def _through(inference: Inference, plane: Pixels, graphs: tuple[Graph, ...]) -> tuple[Pixels, tuple[PassFacts, ...]]:
    passes = []
    for graph in graphs:
        result, facts = inference.run(plane, graph)
        recipe = inference.recipe
        # where a share is asked for, nothing else keeps the size but a person's own network
        denoises = recipe.denoise and graph.variant.scale == 1 and not graph.variant.folder
        plane = blend(plane, result, recipe.denoise) if denoises else result
        passes.append(facts)
    return plane, tuple(passes)


def _alpha(inference: Inference, frame: Frame, graphs: tuple[Graph, ...], size: tuple[int, int]) -> Pixels | None:
    if frame.alpha is None:
        return None
    if not _has_shape(frame.alpha):
        return np.broadcast_to(frame.alpha[0, 0], size[::-1])
    plane, _ = _through(inference, frame.alpha[:, :, np.newaxis], graphs)
    return resample(plane, *size)[:, :, 0]


def _of_alpha(recipe: Recipe) -> Recipe:
    return replace(recipe, noise=None, denoise=0.0)  # alpha has no JPEG noise to take out


def _has_shape(alpha: Pixels | None) -> bool:
    """Whether it is more than one value, known without looking at the pixels."""
    return alpha is not None and alpha.strides != (0, 0)


def _bled(frame: Frame) -> Pixels:
    if frame.alpha is None or not _has_shape(frame.alpha):
        return frame.pixels
    return bleed(frame.pixels, frame.alpha)
