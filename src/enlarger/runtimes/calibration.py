"""Which runtime and arithmetic is fastest on this machine for a card, and still exact enough: measured, not guessed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np

from enlarger.errors import RuntimeFailedError
from enlarger.runtimes.calibration_picture import textured_tile
from enlarger.runtimes.session import FP32, UINT8, GraphLike, Runtime, Session, Tile

BUDGET_S = 3.0
MIN_PSNR_DB = 50.0  # the promise of "auto"
IDENTICAL_DB = 120.0  # no difference at all; JSON has no infinity
_MAX_SIDE_PX = 256
_MIN_SIDE_PX = 64
_ROUND_FLOPS = 80e9  # what one tile should cost: about half a second of fp32 on two plain cores
_HOPELESS = 2.0  # times slower than the best in the warm-up: not timed again


@dataclass(frozen=True)
class Candidate:
    """Where and how a graph could be computed."""

    runtime: str
    device: str
    dtype: str


@dataclass(frozen=True)
class Measurement:
    """What one candidate did with the calibration tile."""

    candidate: Candidate
    megapixels_per_s: float = 0.0  # of what enters the network; 0 where it failed
    psnr_db: float = 0.0  # of the 8-bit result against fp32
    problem: str = ""  # why it could not be measured


@dataclass(frozen=True)
class Calibration:
    """All candidates of one card on one machine, at one tile size (h, w)."""

    card: str
    tile: tuple[int, int]
    measurements: tuple[Measurement, ...]

    def fastest(self, candidates: Sequence[Candidate], *, exact: bool) -> Candidate | None:
        """The fastest of `candidates` that keeps the promise; None when none of them ran."""
        usable = [m for m in self.measurements if m.candidate in candidates and _keeps_promise(m, exact=exact)]
        return max(usable, key=lambda m: m.megapixels_per_s).candidate if usable else None

    def covers(self, candidates: Sequence[Candidate]) -> bool:
        """Whether every one of `candidates` was tried."""
        return {m.candidate for m in self.measurements} >= set(candidates)


def _keeps_promise(measurement: Measurement, *, exact: bool) -> bool:
    if measurement.problem:
        return False
    return measurement.candidate.dtype == FP32 or (not exact and measurement.psnr_db >= MIN_PSNR_DB)


def calibrate(
    graph: GraphLike,
    trials: Sequence[tuple[Runtime, Candidate]],
    *,
    card: str,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Calibration:
    """Run every candidate in turn, round after round, until `budget_s` is spent; the best time of each counts.

    Turns are fair when something else disturbs the machine. Each candidate runs at least twice, the first time only to
    warm up, unless the warm-up shows that it has no chance. A candidate that fails is recorded with its problem.
    """
    deadline_s = clock() + budget_s
    tile = calibration_tile(graph)
    with ExitStack() as opened:
        stands = [_Stand.prepare(graph, tile, *trial, opened=opened, clock=clock) for trial in trials]
        _race([stand for stand in stands if stand.session], textured_tile(tile), deadline_s, clock)
    return Calibration(card, tile, tuple(_measurements(stands)))


def calibration_tile(graph: GraphLike) -> tuple[int, int]:
    """A square that every network takes about as long for: 256 pixels for a light one, 64 for RealESRGAN x4plus.

    A weight of a convolutional network is used about once a pixel, and is four bytes of the ONNX file.
    """
    flops_per_px = max(1, graph.path.stat().st_size // 4) * 2
    side = min(_MAX_SIDE_PX, max(_MIN_SIDE_PX, math.isqrt(int(_ROUND_FLOPS / flops_per_px))))
    variant = graph.variant
    side += (variant.remainder - side) % variant.multiple
    return side, side


@dataclass
class _Stand:
    """One candidate while it is measured."""

    candidate: Candidate
    session: Session | None
    clock: Callable[[], float]
    problem: str = ""
    warm_up_s: float = math.inf
    best_s: float = math.inf
    result: Tile | None = None

    @classmethod
    def prepare(
        cls,
        graph: GraphLike,
        tile: tuple[int, int],
        runtime: Runtime,
        candidate: Candidate,
        *,
        opened: ExitStack,
        clock: Callable[[], float],
    ) -> _Stand:
        try:
            session = runtime.open(graph, tile=tile, device=candidate.device, dtype=candidate.dtype, pixels=UINT8)
        except RuntimeFailedError as error:
            return cls(candidate, None, clock, problem=str(error.message))
        return cls(candidate, opened.enter_context(closing(session)), clock)

    def warm_up(self, tile: Tile) -> None:
        self.warm_up_s = self._timed(tile)

    def measure(self, tile: Tile) -> None:
        self.best_s = min(self.best_s, self._timed(tile))

    @property
    def megapixels_per_s(self) -> float:
        assert self.session is not None
        height, width = self.session.spec.tile
        return height * width / min(self.best_s, self.warm_up_s) / 1e6

    def _timed(self, tile: Tile) -> float:
        assert self.session is not None
        start_s = self.clock()
        try:
            (self.result,) = self.session.run([tile])
        except RuntimeFailedError as error:
            self.problem, self.session = str(error.message), None
            return math.inf
        return self.clock() - start_s


def _race(stands: list[_Stand], tile: Tile, deadline_s: float, clock: Callable[[], float]) -> None:
    for stand in stands:
        stand.warm_up(tile)
    fastest_s = min((stand.warm_up_s for stand in stands), default=0.0)
    runners = [stand for stand in stands if stand.warm_up_s <= _HOPELESS * fastest_s]
    for turn in _turns(runners):
        if turn.session:
            turn.measure(tile)
        if clock() > deadline_s and all(stand.best_s < math.inf or stand.problem for stand in runners):
            return


def _turns(stands: list[_Stand]) -> Iterator[_Stand]:
    while any(stand.session for stand in stands):
        yield from stands


def _measurements(stands: Sequence[_Stand]) -> Iterator[Measurement]:
    reference = next((s.result for s in stands if s.candidate.dtype == FP32 and s.result is not None), None)
    for stand in stands:
        if stand.problem or stand.result is None:
            yield Measurement(stand.candidate, problem=stand.problem)
        else:
            exactness_db = psnr_db(stand.result, reference) if reference is not None else 0.0
            yield Measurement(stand.candidate, stand.megapixels_per_s, exactness_db)


def psnr_db(result: Tile, reference: Tile) -> float:
    """Peak signal to noise ratio of two uint8 pictures, 120 when they are equal."""
    difference = result.astype(np.float64) - reference
    mean_square = float(np.mean(difference * difference))
    return IDENTICAL_DB if mean_square == 0 else min(IDENTICAL_DB, 10 * math.log10(255**2 / mean_square))
