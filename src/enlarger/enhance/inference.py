"""One network over one plane: tiles in, stitched pixels out; smaller tiles or fp32 where that is what it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from math import ceil, gcd
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.enhance.checks import is_plausible
from enlarger.enhance.facts import PassFacts
from enlarger.enhance.meter import Meter
from enlarger.enhance.orientations import average_over_orientations
from enlarger.enhance.recipe import Precision, Recipe
from enlarger.enhance.resample import as_floats, from_floats, to_grey
from enlarger.enhance.residents import Residents
from enlarger.enhance.tile_limits import TileLimits
from enlarger.enhance.tiles import SIDE_STEP_PX, Box, TilePlan, TileRule, cut, force_tiles, paste, plan_tiles
from enlarger.errors import BadOutputError, OutOfMemoryError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.models import Graph, Variant
from enlarger.pictures import Pixels, canvas
from enlarger.runtimes import FLOAT32, TROUBLES, UINT8, Part, Session, SessionSpec

Plane: TypeAlias = Pixels
UseSession = Callable[[Graph, tuple[int, int], int, Precision, str], AbstractContextManager[Session]]


class _ImplausibleError(Exception):
    """A tile came back black or constant although its source is not."""


class _DeviceFailedError(Exception):
    """A session failed while it ran, for a reason that is not memory."""

    def __init__(self, spec: SessionSpec, error: RuntimeFailedError) -> None:
        super().__init__(spec, error)
        self.place = (spec.runtime, spec.device)
        self.error = error


@dataclass(frozen=True)
class Inference:
    """What one picture's passes share."""

    recipe: Recipe
    use_session: UseSession
    residents: Residents
    limits: TileLimits
    meter: Meter
    cancel: CancelToken | None

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
            return self._fitting(plane, graph, "exact" if _is_deep(plane) else self.recipe.precision)
        except _ImplausibleError:
            pass
        try:
            result, facts = self._fitting(plane, graph, "exact")
        except _ImplausibleError:
            raise _bad_output(graph.variant) from None
        return result, replace(facts, retried=True)

    def _fitting(self, plane: Plane, graph: Graph, precision: Precision) -> tuple[Plane, PassFacts]:
        tried_again = False
        lost: dict[tuple[str, str], RuntimeFailedError] = {}
        while True:
            plan = plan_for(self.recipe, graph, plane.shape[1], plane.shape[0], self.limits)
            batch = batch_for(self.recipe, graph, plan, self.limits)
            try:
                return self._stitched(plane, graph, plan, batch, precision, lost)
            except _DeviceFailedError as failed:
                self._leave(failed)
                lost[failed.place] = failed.error
            except OutOfMemoryError:
                self.residents.close_idle()  # what is resident is memory that the smaller tile needs
                if self.residents.in_use:  # by a page that this one interrupted: its tile is not to blame
                    if tried_again:
                        raise
                    tried_again = True
                    continue
                if not self._lower(graph.variant, plan, batch):
                    raise

    def _leave(self, failed: _DeviceFailedError) -> None:
        """The next session is opened on another device, if there is one."""
        TROUBLES.note(*failed.place, failed.error.message)
        self.residents.close_idle()

    def _lower(self, variant: Variant, plan: TilePlan, batch: int) -> bool:
        """From now on half the batch, then half the tile; False where there is no less."""
        if batch > 1:
            self.limits.lower_batch(variant, batch)
            return True
        if self.recipe.tile_px or max(plan.tile) <= rule_of(variant, self.recipe).smallest:
            return False
        self.limits.lower(variant, plan.tile)
        return True

    def _stitched(
        self,
        plane: Plane,
        graph: Graph,
        plan: TilePlan,
        batch: int,
        precision: Precision,
        lost: Mapping[tuple[str, str], RuntimeFailedError],
    ) -> tuple[Plane, PassFacts]:
        scale = graph.variant.scale
        deep = _is_deep(plane)
        stitched, _ = canvas(plan.height * scale, plan.width * scale, plane.shape[2], deep=deep)
        with self.use_session(graph, plan.tile, batch, precision, FLOAT32 if deep else UINT8) as session:
            if error := lost.get((session.spec.runtime, session.spec.device)):
                raise error  # there is no other
            with _failing(session.spec):
                averages = self._shared_averages(session, plane, plan, graph.variant)
                results = session.run(_tiles(plane, plan), averages=averages, cancel=self.cancel)
                for box, result in zip(plan.boxes(), results, strict=True):
                    _accept(plane, stitched, result, box, scale)
                    self.meter.advance(plan.tile_px)
        return stitched, _facts(graph, session, plan)

    def _shared_averages(
        self, session: Session, plane: Plane, plan: TilePlan, variant: Variant
    ) -> list[NDArray[np.float32]] | None:
        """The picture's averages, pooling by pooling, since each depends on those before; None where tiles keep theirs.

        Real-CUGAN's accurate way to tile: without it tiles of one page differ visibly in tone.
        """
        if not shares_averages(plan, variant):
            return None
        parts = _parts(plan, variant.multiple)
        averages: list[NDArray[np.float32]] = []
        for stage in range(session.spec.poolings):
            tiles = _tiles(plane, plan)
            shares = session.pool(tiles, stage=stage, known=averages, parts=parts, cancel=self.cancel)
            averages.append(self._summed(shares, plan.tile_px))
        return averages

    def _summed(self, shares: Iterator[NDArray[np.float32]], tile_px: int) -> NDArray[np.float32]:
        total = np.zeros((), np.float64)
        for share in shares:
            total = total + share
            self.meter.advance(tile_px)
        return total.astype(np.float32)


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
    return TileRule(_halo_px(variant, recipe.tile_pad_px), variant.multiple, step, variant.remainder)


def _halo_px(variant: Variant, asked_px: int | None) -> int:
    """The measured halo, or the one asked for: not below the network's border, and tiles begin at its stride."""
    if asked_px is None:
        return variant.halo
    stride = variant.multiple // gcd(variant.multiple, 2)  # the halo counts twice a tile
    return ceil(max(asked_px, variant.border) / stride) * stride


def plan_for(recipe: Recipe, graph: Graph, width: int, height: int, limits: TileLimits) -> TilePlan:
    """The tiles of a picture of this size, of the size asked for if the recipe has one."""
    rule = rule_of(graph.variant, recipe)
    if recipe.tile_px:
        return force_tiles(width, height, rule, recipe.tile_px)
    return plan_tiles(width, height, rule, limits.limit_px(graph))


def batch_for(recipe: Recipe, graph: Graph, plan: TilePlan, limits: TileLimits) -> int:
    """Tiles a call: at most what the recipe asks for and memory holds, all calls as full as each other."""
    most = min(limits.batch(graph, plan.tile, recipe.batch), plan.count) if recipe.batch > 1 else 1
    calls = ceil(plan.count / most)
    return ceil(plan.count / calls)


def shares_averages(plan: TilePlan, variant: Variant) -> bool:
    """Whether the tiles share the picture's averages; one tile has them by itself."""
    return plan.count > 1 and variant.shared_poolings > 0


def work_px(plan: TilePlan, variant: Variant) -> int:
    """Pixels that enter the network for one picture."""
    passes = 1 + (variant.shared_poolings if shares_averages(plan, variant) else 0)
    return plan.count * plan.tile_px * passes


def _parts(plan: TilePlan, multiple: int) -> list[Part]:
    """What of each tile counts in the picture's averages: up to where the next tile begins."""
    picture = tuple(ceil((side + 2 * plan.halo) / multiple) * multiple for side in (plan.height, plan.width))
    parts = []
    for index, box in enumerate(plan.boxes()):
        last = (index // plan.columns == plan.rows - 1, index % plan.columns == plan.columns - 1)
        steps, offsets = (box.height, box.width), (box.y, box.x)
        own = tuple(tile if ends else step for tile, step, ends in zip(plan.tile, steps, last, strict=True))
        inside = tuple(min(tile, whole - at) for tile, whole, at in zip(plan.tile, picture, offsets, strict=True))
        parts.append(Part((own[0], own[1]), (inside[0], inside[1]), (picture[0], picture[1])))
    return parts


def _is_deep(plane: Plane) -> bool:
    """16 bits a channel: they enter the network as floats, and in fp32, since bf16 keeps eight."""
    return plane.dtype == np.uint16


def _tiles(plane: Plane, plan: TilePlan) -> Iterator[NDArray[Any]]:
    tiles = (_as_rgb(cut(plane, box, plan.halo)) for box in plan.boxes())
    return map(as_floats, tiles) if _is_deep(plane) else tiles


def _accept(plane: Plane, stitched: Plane, result: NDArray[Any], box: Box, scale: int) -> None:
    channels = stitched.shape[2]
    if _is_deep(plane):
        result = from_floats(result, channels)
    elif channels == 1:
        result = to_grey(result)
    paste(stitched, result, box, scale)
    y, x = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
    big_y, big_x = (slice(s.start * scale, s.stop * scale) for s in (y, x))
    if not is_plausible(plane[y, x], stitched[big_y, big_x]):
        raise _ImplausibleError


def _as_rgb(tile: Plane) -> Plane:
    return np.ascontiguousarray(tile) if tile.shape[2] == 3 else np.repeat(tile, 3, axis=2)


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


def _bad_output(variant: Variant) -> BadOutputError:
    return BadOutputError(
        msg("{variant} gave no picture (NaN, black or constant), in fp32 too.", variant=variant.name),
        msg("Try another model, or fetch its weights again with `enlarger models pull`."),
    )
