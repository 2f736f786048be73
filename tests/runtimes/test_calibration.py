"""Calibration with fakes and a clock of their own: who is measured, who wins, who is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.errors import RuntimeFailedError
from enlarger.messages import LANGUAGES, msg
from enlarger.models import Graph
from enlarger.runtimes import (
    BF16,
    FP32,
    Calibration,
    Candidate,
    FakeRuntime,
    Measurement,
    Misfortune,
    Session,
    psnr_db,
)
from enlarger.runtimes.calibration import calibrate, calibration_tile
from enlarger.runtimes.calibration_picture import SIDE_PX, page_tile


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class BrokenRuntime(FakeRuntime):
    """Cannot open anything."""

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> Session:
        raise RuntimeFailedError("broken")


def measure(graph: TinyGraph, clock: Clock, *runtimes: FakeRuntime, budget_s: float = 3.0) -> Calibration:
    for runtime in runtimes:
        runtime.sleep = clock.sleep
    trials = [(r, Candidate(r.name, "cpu", dtype)) for r in runtimes for dtype in r.dtypes]
    return calibrate(graph, trials, card="tiny", budget_s=budget_s, clock=clock)


def fake(name: str, delay_s: float, *dtypes: str, **misfortune: object) -> FakeRuntime:
    return FakeRuntime(Misfortune(delay_s=delay_s, **misfortune), dtypes=dtypes or (FP32,), name=name)


def candidates(calibration: Calibration) -> list[Candidate]:
    return [m.candidate for m in calibration.measurements]


def test_the_fastest_wins(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), fake("slow", 0.3), fake("fast", 0.1), fake("middling", 0.2))
    assert found.fastest(candidates(found), exact=True) == Candidate("fast", "cpu", FP32)


def test_the_speed_is_pixels_a_second(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), fake("one", 0.1))
    height, width = found.tile
    assert found.measurements[0].megapixels_per_s == pytest.approx(height * width / 0.1 / 1e6)


def test_only_the_wanted_can_win(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), fake("slow", 0.3), fake("fast", 0.1))
    slow = Candidate("slow", "cpu", FP32)
    assert found.fastest([slow], exact=True) == slow
    assert found.fastest([], exact=True) is None


def test_what_is_too_far_from_fp32_cannot_win(tiny_graph: TinyGraph) -> None:
    found = measure(
        tiny_graph, Clock(), fake("exact", 0.3), fake("wrong", 0.1, BF16, output="constant"), fake("right", 0.2, BF16)
    )
    assert found.fastest(candidates(found), exact=False) == Candidate("right", "cpu", BF16)
    assert found.fastest(candidates(found), exact=True) == Candidate("exact", "cpu", FP32)
    exact, wrong, right = found.measurements
    assert wrong.psnr_db < 50 < right.psnr_db == exact.psnr_db == 120


def test_what_fails_is_recorded_and_cannot_win(tiny_graph: TinyGraph) -> None:
    found = measure(
        tiny_graph,
        Clock(),
        BrokenRuntime(name="broken"),
        fake("starved", 0.1, out_of_memory_above_px=1),
        fake("late", 0.1, fail_at_tile=3),
        fake("sound", 0.4),
    )
    assert found.fastest(candidates(found), exact=False) == Candidate("sound", "cpu", FP32)
    assert [bool(m.problem) for m in found.measurements] == [True, True, True, True, False]


def test_nothing_runs(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), BrokenRuntime(name="broken"))
    assert found.fastest(candidates(found), exact=False) is None


def test_the_budget_is_kept(tiny_graph: TinyGraph) -> None:
    clock = Clock()
    measure(tiny_graph, clock, fake("one", 0.3), fake("two", 0.35), budget_s=2.0)
    assert 2.0 <= clock.now_s <= 2.5


def test_it_ends_before_the_budget_when_enough_is_known(tiny_graph: TinyGraph) -> None:
    clock = Clock()
    measure(tiny_graph, clock, fake("one", 0.01), fake("two", 0.015), budget_s=2.0)
    assert clock.now_s < 0.2


def test_for_slow_networks_the_warm_up_counts(tiny_graph: TinyGraph) -> None:
    one, two = fake("one", 0.6), fake("two", 0.5)
    found = measure(tiny_graph, Clock(), one, two, budget_s=1.0)
    assert (one.tiles_run, two.tiles_run) == (1, 1)
    assert found.fastest(candidates(found), exact=True) == Candidate("two", "cpu", FP32)


def test_what_time_runs_out_for_is_left_out(tiny_graph: TinyGraph) -> None:
    first, second = (fake(name, 5.0, FP32, BF16) for name in ("one", "two"))
    found = measure(tiny_graph, Clock(), first, second, budget_s=1.0)
    assert (first.tiles_run, second.tiles_run) == (2, 1)
    assert [bool(m.problem) for m in found.measurements] == [False, False, False, True]
    assert found.covers(candidates(found))  # and is not tried the next time


def test_each_device_has_a_turn_though_its_runtime_had_one(tiny_graph: TinyGraph) -> None:
    """Vulkan is ncnn's too."""
    clock = Clock()
    ncnn = fake("ncnn", 2.0)
    first = fake("openvino", 5.0)
    first.sleep = ncnn.sleep = clock.sleep
    places = [(first, "cpu"), (ncnn, "cpu"), (ncnn, "vulkan:0")]
    trials = [(runtime, Candidate(runtime.name, device, FP32)) for runtime, device in places]
    found = calibrate(tiny_graph, trials, card="tiny", budget_s=1.0, clock=clock)
    assert [bool(m.problem) for m in found.measurements] == [False, False, False]


def test_opening_the_sessions_takes_no_time_from_measuring(tiny_graph: TinyGraph) -> None:
    clock = Clock()

    class Compiling(FakeRuntime):
        def open(self, *given: object, **named: object) -> Session:
            clock.sleep(5.0)
            return super().open(*given, **named)

    slow = Compiling(Misfortune(delay_s=0.1), dtypes=(FP32, BF16), name="compiling")
    found = measure(tiny_graph, clock, fake("one", 0.1), slow)
    assert [bool(m.problem) for m in found.measurements] == [False, False, False]


def test_not_measured_is_not_failed(tiny_graph: TinyGraph) -> None:
    first, second = (fake(name, 5.0, FP32, BF16) for name in ("one", "two"))
    found = measure(tiny_graph, Clock(), first, second, budget_s=1.0)
    assert [m.untried for m in found.measurements] == [False, False, False, True]


def test_a_slow_first_runtime_does_not_win_unopposed(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), fake("one", 5.0), fake("two", 4.0), budget_s=1.0)
    assert found.fastest(candidates(found), exact=True) == Candidate("two", "cpu", FP32)


def test_time_does_not_run_out_before_there_is_fp32(tiny_graph: TinyGraph) -> None:
    found = measure(tiny_graph, Clock(), fake("one", 5.0, BF16), fake("two", 5.0), budget_s=1.0)
    assert found.fastest(candidates(found), exact=True) == Candidate("two", "cpu", FP32)


def test_the_hopeless_are_not_run_again(tiny_graph: TinyGraph) -> None:
    hopeless = fake("hopeless", 2.0)
    found = measure(tiny_graph, Clock(), fake("fast", 0.1), hopeless)
    assert hopeless.tiles_run == 1
    assert found.measurements[1].megapixels_per_s > 0


def test_sessions_are_closed(tiny_graph: TinyGraph) -> None:
    runtime = fake("one", 0.1, FP32, BF16)
    measure(tiny_graph, Clock(), runtime)
    assert (runtime.sessions_opened, runtime.sessions_closed) == (2, 2)


def test_covers() -> None:
    one, two = Candidate("one", "cpu", FP32), Candidate("two", "cpu", FP32)
    known = Calibration("card", "network", (64, 64), (Measurement(one), Measurement(two, problem="failed")))
    assert known.covers([one, two])
    assert not known.covers([one, Candidate("three", "cpu", FP32)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_device_that_was_remembered_as_not_measured_is_measured(language: str) -> None:
    cpu, gpu = Candidate("ncnn", "cpu", FP32), Candidate("ncnn", "vulkan:0", FP32)
    said = msg("not measured: no time was left").text(language)
    known = Calibration("card", "network", (64, 64), (Measurement(cpu, 1.0, 120.0), Measurement(gpu, problem=said)))
    assert known.covers([cpu])
    assert not known.covers([cpu, gpu])


@pytest.mark.parametrize(("params", "side"), [(500_000, 160), (4_500_000, 64), (17_000_000, 48)])
def test_heavy_networks_get_a_smaller_tile(tiny_graph: TinyGraph, params: int, side: int) -> None:
    with tiny_graph.path.open("ab") as file:
        file.truncate(params * 4)
    assert calibration_tile(tiny_graph) == (side, side)


def test_psnr() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr_db(black, black) == 120
    assert psnr_db(black + np.uint8(1), black) == pytest.approx(48.13, abs=0.01)


def test_the_picture_is_a_page() -> None:
    picture = page_tile((96, 128))
    assert picture.shape == (96, 128, 3)
    assert picture.dtype == np.uint8
    assert len(np.unique(picture)) > 200
    whole = page_tile((SIDE_PX, SIDE_PX))
    assert (picture == whole[32:128, 16:144]).all()  # the middle


def test_the_picture_goes_on_reflected() -> None:
    whole, larger = page_tile((SIDE_PX, SIDE_PX)), page_tile((SIDE_PX + 4, SIDE_PX + 4))
    assert (larger[2:-2, 2:-2] == whole).all()
    assert (larger[1] == larger[3]).all()
    assert (larger[-2] == larger[-4]).all()
