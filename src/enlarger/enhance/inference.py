"""One network over one plane: tiles in, stitched pixels out; smaller tiles or fp32 where that is what it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, gcd
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.enhance.facts import PassFacts
from enlarger.enhance.filling import TOLERANCE, TOLERANCE_DEEP, NoOneAnswerError, fill
from enlarger.enhance.meter import Meter
from enlarger.enhance.network_pixels import ImplausibleError, accept_sheet, accept_tile, entering, is_deep
from enlarger.enhance.orientations import average_over_orientations
from enlarger.enhance.recipe import Precision, Recipe
from enlarger.enhance.residents import Residents
from enlarger.enhance.shared_averages import parts_of_layout, parts_of_plan, shares_averages
from enlarger.enhance.sparing import Layout, compose, lay_out, may_spare, press_for, press_of
from enlarger.enhance.tile_limits import TileLimits
from enlarger.enhance.tiles import SIDE_STEP_PX, TilePlan, TileRule, cut, force_tiles, plan_tiles
from enlarger.enhance.typesetting import Press, Sheet
from enlarger.errors import BadOutputError, OutOfMemoryError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.models import Graph, Variant
from enlarger.pictures import Pixels, canvas
from enlarger.runtimes import FLOAT32, TROUBLES, UINT8, Parts, Session, SessionSpec

Plane: TypeAlias = Pixels
_Lost = Mapping[tuple[str, str], RuntimeFailedError]  # devices that failed at this plane: runtime, id
UseSession = Callable[[Graph, tuple[int, int], int, Precision, str], AbstractContextManager[Session]]


class _NotSparedError(Exception):
    """What the tiles without flat areas gave is no picture, or no answer to those."""


class _ElsewhereError(Exception):
    """Another device took over, and tiles that were planned for the memory of the first are too large for it."""

    def __init__(self, limits: TileLimits) -> None:
        super().__init__()
        self.limits = limits


class _DeviceFailedError(Exception):
    """A session failed while it ran, for a reason that is not memory."""

    def __init__(self, spec: SessionSpec, error: RuntimeFailedError) -> None:
        super().__init__(spec, error)
        self.place = (spec.runtime, spec.device)
        self.error = error


@dataclass(frozen=True)
class _Stack:
    """Tiles of one shape (h, w), halos included, and how many a call; `tiles` cuts them anew each time."""

    shape: tuple[int, int]
    batch: int
    tiles: Callable[[], Iterator[NDArray[Any]]]

    @property
    def tile_px(self) -> int:
        """Pixels of one tile."""
        return self.shape[0] * self.shape[1]


_Use = Callable[[tuple[int, int], int], AbstractContextManager[Session]]  # for tiles of a shape, so many a call


@dataclass(frozen=True)
class Inference:
    """What one picture's passes share."""

    recipe: Recipe
    use_session: UseSession
    residents: Residents
    limits: TileLimits
    meter: Meter
    cancel: CancelToken | None
    spares_flat: bool = True  # what is flat is filled, not computed

    def run(self, plane: Plane, graph: Graph) -> tuple[Plane, PassFacts]:
        """The plane (H, W, C) through `graph`, averaged over orientations when the recipe says so.

        Raises BadOutputError when fp32 gives no picture either, OutOfMemoryError when the smallest tile
        is too large, RuntimeFailedError, CancelledError.
        """
        started = time.perf_counter() - self.meter.away_s
        notes: list[PassFacts] = []

        def infer(oriented: Plane) -> Plane:
            result, facts = self._plausible(oriented, graph)
            notes.append(facts)
            return result

        result = average_over_orientations(plane, infer) if self.recipe.tta else infer(plane)
        seconds = time.perf_counter() - started - self.meter.away_s
        return result, replace(notes[0], seconds=round(seconds, 3))

    def _plausible(self, plane: Plane, graph: Graph) -> tuple[Plane, PassFacts]:
        try:
            return self._sparing(plane, graph, "exact" if is_deep(plane) else self.recipe.precision)
        except ImplausibleError:
            pass
        try:
            result, facts = self._fitting(plane, graph, "exact", spares=False)
        except ImplausibleError:
            raise _bad_output(graph.variant) from None
        return result, replace(facts, retried=True)

    def _sparing(self, plane: Plane, graph: Graph, precision: Precision) -> tuple[Plane, PassFacts]:
        try:
            return self._fitting(plane, graph, precision, spares=True)
        except _NotSparedError:  # of this picture; the next one is tried again, or its pixels would depend on this one
            return self._fitting(plane, graph, precision, spares=False)

    def _fitting(self, plane: Plane, graph: Graph, precision: Precision, *, spares: bool) -> tuple[Plane, PassFacts]:
        tried_again = False
        lost: dict[tuple[str, str], RuntimeFailedError] = {}
        while True:
            plan = plan_for(self.recipe, graph, plane.shape[1], plane.shape[0], self.limits)
            layout = self._layout(plane, graph, plan) if spares else None
            tile, count = (plan.tile, plan.count) if layout is None else layout.largest
            batch = batch_for(self.recipe, graph, tile, count, self.limits)
            try:
                if layout is None:
                    return self._stitched(plane, graph, plan, batch, precision, lost)
                with (
                    self.meter.sparing(work_px(plan, graph.variant) - _sheets_px(layout, graph.variant)),
                    _spared_or_not(),
                ):
                    return self._spared(plane, graph, plan, layout, precision, lost)
            except _ElsewhereError as elsewhere:
                return replace(self, limits=elsewhere.limits)._fitting(plane, graph, precision, spares=spares)
            except _DeviceFailedError as failed:
                self._leave(failed, graph)
                lost[failed.place] = failed.error
            except OutOfMemoryError:
                self.residents.close_idle()  # what is resident is memory that the smaller tile needs
                if self.residents.in_use:  # by a page that this one interrupted: its tile is not to blame
                    if tried_again:
                        raise
                    tried_again = True
                    continue
                if not self._lower(graph.variant, tile, batch):
                    raise

    def _leave(self, failed: _DeviceFailedError, graph: Graph) -> None:
        """The next session for this network is opened on another device, if there is one."""
        TROUBLES.note(*failed.place, failed.error.message, graph=graph.digest)
        self.residents.lose(*failed.place)

    def _layout(self, plane: Plane, graph: Graph, plan: TilePlan) -> Layout | None:
        """Tiles that spare what is flat, where there is any and the network answers it without the rest."""
        if not self.spares_flat or not may_spare(graph.variant):
            return None
        most_px = work_px(plan, graph.variant) // _passes(graph.variant)  # tiles of a layout always share
        return lay_out(plane, most_px, press_among(self.recipe, graph, plan, self.limits))

    def _lower(self, variant: Variant, tile: tuple[int, int], batch: int) -> bool:
        """From now on half the batch, then half the tile; False where there is no less."""
        if batch > 1:
            self.limits.lower_batch(variant, batch)
            return True
        if self.recipe.tile_px or max(tile) <= rule_of(variant, self.recipe).smallest:
            return False
        self.limits.lower(variant, tile)
        return True

    def _stitched(
        self,
        plane: Plane,
        graph: Graph,
        plan: TilePlan,
        batch: int,
        precision: Precision,
        lost: _Lost,
    ) -> tuple[Plane, PassFacts]:
        variant, deep = graph.variant, is_deep(plane)
        scale = variant.scale
        stitched, _ = canvas(plan.height * scale, plan.width * scale, plane.shape[2], deep=deep)
        stack = _Stack(plan.tile, batch, partial(_tiles, plane, plan))
        use = partial(self._session, graph, precision=precision, deep=deep, lost=lost)
        averages = None
        if shares_averages(plan, variant):
            averages = self._averages([stack], [parts_of_plan(plan, variant.multiple)], use)
        with use(stack.shape, stack.batch) as session:
            results = session.run(stack.tiles(), averages=averages, cancel=self.cancel)
            for box, result in zip(plan.boxes(), results, strict=True):
                accept_tile(plane, stitched, result, box, scale)
                self.meter.advance(plan.tile_px)
        return stitched, _facts(graph, session, plan)

    @contextmanager
    def _session(
        self, graph: Graph, tile: tuple[int, int], batch: int, precision: Precision, deep: bool, lost: _Lost
    ) -> Iterator[Session]:
        """Raises _DeviceFailedError for what fails inside the block, and its error where no other device is left."""
        with self.use_session(graph, tile, batch, precision, FLOAT32 if deep else UINT8) as session:
            if error := lost.get((session.spec.runtime, session.spec.device)):
                raise error
            self._require_room(session, graph)
            with _failing(session.spec):
                yield session

    def _require_room(self, session: Session, graph: Graph) -> None:
        limits, (height, width) = self.limits.elsewhere, session.spec.tile
        if session.spec.fallback is not None and limits is not None and height * width > limits.limit_px(graph):
            raise _ElsewhereError(limits)

    def _spared(
        self, plane: Plane, graph: Graph, plan: TilePlan, layout: Layout, precision: Precision, lost: _Lost
    ) -> tuple[Plane, PassFacts]:
        """As `_stitched`, but for what is flat: that is filled with what the network gave for its colour."""
        variant, deep = graph.variant, is_deep(plane)
        result, _ = canvas(plan.height * variant.scale, plan.width * variant.scale, plane.shape[2], deep=deep)
        use = partial(self._session, graph, precision=precision, deep=deep, lost=lost)
        stacks, averages, facts = self._stacks(plane, layout, graph), None, []
        if variant.shared_poolings:
            parts = parts_of_layout(layout, plane.shape[:2], variant.multiple)
            averages = self._averages(stacks, parts, use)
        for stack, (_, sheets) in zip(stacks, layout.shapes(), strict=True):
            with use(stack.shape, stack.batch) as session:
                tiles = session.run(stack.tiles(), averages=averages, cancel=self.cancel)
                for sheet, tile in zip(sheets, tiles, strict=True):
                    accept_sheet(plane, result, tile, sheet, layout, variant)
                    self.meter.advance(sheet.px)
                facts.append(_facts(graph, session, plan))
        fill(result, layout, variant.scale, variant.multiple, TOLERANCE_DEEP if deep else TOLERANCE)
        return result, _spared_facts(facts[0], layout, plan)

    def _averages(
        self, stacks: Sequence[_Stack], parts: Sequence[Sequence[Parts]], use: _Use
    ) -> list[NDArray[np.float32]]:
        """The picture's averages, pooling by pooling, since each depends on those before.

        Real-CUGAN's accurate way to tile: without it tiles of one page differ visibly in tone.
        """
        averages: list[NDArray[np.float32]] = []
        with use(stacks[0].shape, stacks[0].batch) as session:
            poolings = session.spec.poolings
        for stage in range(poolings):
            total = np.zeros((), np.float64)
            for stack, counted in zip(stacks, parts, strict=True):
                with use(stack.shape, stack.batch) as session:
                    tiles = session.pool(stack.tiles(), stage=stage, known=averages, parts=counted, cancel=self.cancel)
                    for share in tiles:
                        total = total + share
                        self.meter.advance(stack.tile_px)
            averages.append(total.astype(np.float32))
        return averages

    def _stacks(self, plane: Plane, layout: Layout, graph: Graph) -> list[_Stack]:
        stacks = []
        for shape, sheets in layout.shapes():
            batch = batch_for(self.recipe, graph, shape, len(sheets), self.limits)
            stacks.append(_Stack(shape, batch, partial(_composed, plane, sheets, layout)))
        return stacks


@contextmanager
def _spared_or_not() -> Iterator[None]:
    try:
        yield
    except (ImplausibleError, NoOneAnswerError) as error:
        raise _NotSparedError from error


@contextmanager
def _failing(spec: SessionSpec) -> Iterator[None]:
    try:
        yield
    except OutOfMemoryError:
        raise
    except RuntimeFailedError as error:
        raise _DeviceFailedError(spec, error) from error


def rule_of(variant: Variant, recipe: Recipe) -> TileRule:
    """What the variant's network and the recipe ask of a tile."""
    step = 1 if variant.shared_poolings or recipe.tile_px else SIDE_STEP_PX
    halo = _halo_px(variant, recipe.tile_pad_px)
    return TileRule(halo, variant.multiple, step, variant.remainder, variant.widest)


def _halo_px(variant: Variant, asked_px: int | None) -> int:
    """The measured halo, or the one asked for: not below the network's border, and tiles begin at its stride."""
    if asked_px is None:
        return variant.halo
    stride = variant.multiple // gcd(variant.multiple, 2)  # the halo counts twice a tile
    return ceil(max(asked_px, variant.border) / stride) * stride


def _halo_among_pieces_px(variant: Variant, alone_px: int) -> int:
    """The halo of a piece that has pieces of other places beside it; `alone_px` is that of a tile.

    A network with a border sees no further than its halo. The others see a little of what lies beyond: at a tile's
    edge next to nothing, but another place's ink is more. A network that strides does so from a piece's corner: it
    meets the same pixels as in a tile where the halo is longer by whole strides.
    """
    wanted_px = variant.halo if variant.border else variant.halo * 3 // 2
    return alone_px + ceil(max(wanted_px - alone_px, 0) / variant.multiple) * variant.multiple


def plan_for(recipe: Recipe, graph: Graph, width: int, height: int, limits: TileLimits) -> TilePlan:
    """The tiles of a picture of this size, of the size asked for if the recipe has one."""
    rule = rule_of(graph.variant, recipe)
    if recipe.tile_px:
        return force_tiles(width, height, rule, recipe.tile_px)
    return plan_tiles(width, height, rule, limits.limit_px(graph))


def press_among(recipe: Recipe, graph: Graph, plan: TilePlan, limits: TileLimits) -> Press:
    """What pieces of pictures with flat areas are set with, instead of the plan's tiles."""
    rule = replace(rule_of(graph.variant, recipe), halo=_halo_among_pieces_px(graph.variant, plan.halo))
    return press_of(plan, rule) if recipe.tile_px else press_for(rule, limits.limit_px(graph))


def batch_for(recipe: Recipe, graph: Graph, tile: tuple[int, int], count: int, limits: TileLimits) -> int:
    """Tiles a call, of `count`: at most what the recipe asks for and memory holds, all calls as full as each other."""
    most = min(limits.batch(graph, tile, recipe.batch), count) if recipe.batch > 1 else 1
    calls = ceil(count / most)
    return ceil(count / calls)


def _composed(plane: Plane, sheets: Sequence[Sheet], layout: Layout) -> Iterator[NDArray[Any]]:
    return (entering(compose(plane, sheet, layout)) for sheet in sheets)


def _tiles(plane: Plane, plan: TilePlan) -> Iterator[NDArray[Any]]:
    return (entering(cut(plane, box, plan.halo)) for box in plan.boxes())


def work_px(plan: TilePlan, variant: Variant) -> int:
    """Pixels that enter the network for one picture."""
    return plan.count * plan.tile_px * (_passes(variant) if shares_averages(plan, variant) else 1)


def _sheets_px(layout: Layout, variant: Variant) -> int:
    return layout.px * _passes(variant)


def _passes(variant: Variant) -> int:
    """How often a tile enters the network where tiles share averages; most of these do not go to its end."""
    return 1 + variant.shared_poolings


def _facts(graph: Graph, session: Session, plan: TilePlan) -> PassFacts:
    spec = session.spec
    return PassFacts(
        variant=graph.variant.name,
        graph=graph.digest,
        weights=graph.weights,
        runtime=spec.runtime,
        device=spec.device,
        dtype=spec.dtype,
        tile=plan.tile,
        tiles=plan.count,
        useful_share=round(plan.useful_share, 4),
        seconds=0.0,
        halo_px=plan.halo,
        batch=spec.batch,
        fallback=None if spec.fallback is None else spec.fallback.as_json(),
    )


def _spared_facts(facts: PassFacts, layout: Layout, plan: TilePlan) -> PassFacts:
    kept_px = (1 - layout.filled_share) * plan.width * plan.height
    return replace(
        facts,
        tile=layout.largest[0],
        tiles=len(layout.sheets),
        useful_share=round(kept_px / layout.px, 4),
        filled_share=round(layout.filled_share, 4),
        halo_px=layout.halo,
    )


def _bad_output(variant: Variant) -> BadOutputError:
    return BadOutputError(
        msg("{variant} gave no picture (NaN, black or constant), in fp32 too.", variant=variant.name),
        msg("Try another model, or fetch its weights again with `enlarger models pull`."),
    )
