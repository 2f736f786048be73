"""Which runtime and arithmetic is fastest here for a network, and still exact enough: measured, not guessed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np

from enlarger.errors import RuntimeFailedError
from enlarger.messages import LANGUAGES, msg
from enlarger.models import Graph
from enlarger.runtimes.calibration_picture import SIDE_PX, page_tile
from enlarger.runtimes.session import FP32, UINT8, Device, Runtime, Session, Tile

BUDGET_S = 3.0
MIN_PSNR_DB = 50.0  # the promise of "auto"
IDENTICAL_DB = 120.0  # no difference at all; JSON has no infinity
_MIN_SIDE_PX = 48
_SIDE_STEP_PX = 16
_TILE_FLOPS = 30e9  # what one tile should cost: about a quarter of a second of fp32 on two plain cores
_HOPELESS = 2.0  # times slower in the warm-up than the best of its arithmetic: not timed again
_ROUNDS = 5
_NO_TIME = msg("not measured: no time was left")


@dataclass(frozen=True)
class Candidate:
    """Where and how a graph could be computed."""

    runtime: str
    device: str
    dtype: str
    name: str = ""  # of what is not the CPU: another card in the same place is another candidate

    @classmethod
    def on(cls, device: Device, dtype: str) -> Candidate:
        """This arithmetic on that device."""
        return cls(device.runtime, device.id, dtype, "" if device.kind == "cpu" else device.name)


@dataclass(frozen=True)
class Measurement:
    """What one candidate did with the calibration tile."""

    candidate: Candidate
    megapixels_per_s: float = 0.0  # of what enters the network; 0 where it failed
    psnr_db: float = 0.0  # of the 8-bit result against fp32
    problem: str = ""  # why it could not be measured
    skipped: bool = False  # it was not run at all, since no time was left

    @property
    def untried(self) -> bool:
        """Whether nothing is known of it: it did not fail. Measurements of before say so in their text alone."""
        return self.skipped or self.problem in {_NO_TIME.text(language) for language in LANGUAGES}


@dataclass(frozen=True)
class Calibration:
    """All candidates for one network on one machine, at one tile size (h, w).

    Not one for all networks of a card: in bf16, Real-CUGAN's 2x networks lie on both sides of 50 dB.
    """

    card: str  # whose network it is
    network: str  # the variant's name
    tile: tuple[int, int]
    measurements: tuple[Measurement, ...]
    digest: str = ""  # of the network that was measured; "" in what was remembered before it was kept

    def fastest(self, candidates: Sequence[Candidate], *, exact: bool) -> Candidate | None:
        """The fastest of `candidates` that keeps the promise; None when none of them ran."""
        usable = [m for m in self.measurements if m.candidate in candidates and _keeps_promise(m, exact=exact)]
        return max(usable, key=lambda m: m.megapixels_per_s).candidate if usable else None

    def covers(self, candidates: Sequence[Candidate]) -> bool:
        """Whether every one of `candidates` was tried, or another arithmetic in its place and no time was left."""
        tried = {m.candidate for m in self.measurements if not m.untried}
        places = {(candidate.runtime, candidate.device) for candidate in tried}
        known = {m.candidate for m in self.measurements if (m.candidate.runtime, m.candidate.device) in places}
        return known >= set(candidates)


def _keeps_promise(measurement: Measurement, *, exact: bool) -> bool:
    if measurement.problem:
        return False
    return measurement.candidate.dtype == FP32 or (not exact and measurement.psnr_db >= MIN_PSNR_DB)


def calibrate(
    graph: Graph,
    trials: Sequence[tuple[Runtime, Candidate]],
    *,
    card: str,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Calibration:
    """Run every candidate in turn, round after round, until `budget_s` is spent; the best time of each counts.

    Turns are fair when something else disturbs the machine. The first time warms up, and shows who has no chance; it
    counts for nothing if there is time for another. However slow the machine, each runtime has one turn on each of its
    devices: what is found is remembered. Further arithmetics behind the first are recorded as not measured once the
    time is over. So is, with its problem, a candidate that fails. Opening the sessions does not count.
    """
    tile = calibration_tile(graph)
    with ExitStack() as opened:
        stands = [_Stand.prepare(graph, tile, *trial, opened=opened, clock=clock) for trial in trials]
        _race([stand for stand in stands if stand.session], page_tile(tile), clock() + budget_s, clock)
    return Calibration(card, graph.variant.name, tile, tuple(_measurements(stands)), graph.digest)


def calibration_tile(graph: Graph) -> tuple[int, int]:
    """A square that every network takes about as long for: 160 pixels for a light one, 48 for RealESRGAN x4plus.

    A weight of a convolutional network is used about once a pixel, and is four bytes of the ONNX file.
    """
    flops_per_px = max(1, graph.path.stat().st_size // 4) * 2
    side = round(math.sqrt(_TILE_FLOPS / flops_per_px) / _SIDE_STEP_PX) * _SIDE_STEP_PX
    side = min(SIDE_PX, max(_MIN_SIDE_PX, side))
    side += (graph.variant.remainder - side) % graph.variant.multiple
    return side, side


@dataclass
class _Stand:
    """One candidate while it is measured."""

    candidate: Candidate
    session: Session | None
    clock: Callable[[], float]
    problem: str = ""
    skipped: bool = False
    warm_up_s: float = math.inf
    best_s: float = math.inf
    result: Tile | None = None

    @classmethod
    def prepare(
        cls,
        graph: Graph,
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
    def place(self) -> tuple[str, str]:
        return self.candidate.runtime, self.candidate.device

    @property
    def megapixels_per_s(self) -> float:
        assert self.session is not None
        height, width = self.session.spec.tile
        seconds = self.warm_up_s if math.isinf(self.best_s) else self.best_s
        return height * width / seconds / 1e6

    def give_up(self, problem: str) -> None:
        self.problem, self.session = problem, None

    def skip(self) -> None:
        self.give_up(str(_NO_TIME))
        self.skipped = True

    def _timed(self, tile: Tile) -> float:
        assert self.session is not None
        start_s = self.clock()
        try:
            (self.result,) = self.session.run([tile])
        except RuntimeFailedError as error:
            self.give_up(str(error.message))
            return math.inf
        return self.clock() - start_s


def _race(stands: list[_Stand], tile: Tile, deadline_s: float, clock: Callable[[], float]) -> None:
    for stand in stands:
        reference = _reference(stands)
        met = {other.place for other in stands if other.result is not None}
        if clock() > deadline_s and reference and reference.place != stand.place and stand.place in met:
            stand.skip()
        else:
            stand.warm_up(tile)
    runners = [stand for stand in stands if stand.warm_up_s <= _HOPELESS * _fastest_s(stands, stand.candidate.dtype)]
    for turn in _ROUNDS * runners:
        if clock() > deadline_s:
            return
        if turn.session:
            turn.measure(tile)


def _fastest_s(stands: Sequence[_Stand], dtype: str) -> float:
    return min(stand.warm_up_s for stand in stands if stand.candidate.dtype == dtype)


def _reference(stands: Sequence[_Stand]) -> _Stand | None:
    return next((stand for stand in stands if stand.candidate.dtype == FP32 and stand.result is not None), None)


def _measurements(stands: Sequence[_Stand]) -> Iterator[Measurement]:
    reference = _reference(stands)
    for stand in stands:
        if stand.problem or stand.result is None:
            yield Measurement(stand.candidate, problem=stand.problem, skipped=stand.skipped)
        else:
            exactness_db = (
                psnr_db(stand.result, reference.result) if reference and reference.result is not None else 0.0
            )
            yield Measurement(stand.candidate, stand.megapixels_per_s, exactness_db)


def psnr_db(result: Tile, reference: Tile) -> float:
    """Peak signal to noise ratio of two uint8 pictures, 120 when they are equal."""
    difference = result.astype(np.float64) - reference
    mean_square = float(np.mean(difference * difference))
    return IDENTICAL_DB if mean_square == 0 else min(IDENTICAL_DB, 10 * math.log10(255**2 / mean_square))
