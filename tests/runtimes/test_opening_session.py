"""Which runtime a request gets, and that it is measured once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.runtimes import BF16, FP32, FakeRuntime, Misfortune, list_calibrations, open_session
from enlarger.runtimes.opening import calibration_store
from enlarger.settings import Settings

TILE = (16, 20)


@pytest.fixture(autouse=True)
def short_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.runtimes.calibration._ROUNDS", 1)


def pair(**second: object) -> dict[str, FakeRuntime]:
    """A slow runtime, and a fast one."""
    slow = FakeRuntime(Misfortune(delay_s=0.02), name="slow", calibrates=True)
    fast = FakeRuntime(Misfortune(delay_s=0.001, **second), name="fast", calibrates=True)
    return {"slow": slow, "fast": fast}


def test_auto_takes_the_fastest(tiny_graph: TinyGraph, settings: Settings) -> None:
    session = open_session(tiny_graph, tile=TILE, settings=settings, runtimes=pair())
    assert session.spec.runtime == "fast"
    assert session.spec.tile == TILE


def test_exact_is_fp32(tiny_graph: TinyGraph, settings: Settings) -> None:
    session = open_session(tiny_graph, tile=TILE, precision="exact", settings=settings, runtimes=pair())
    assert (session.spec.runtime, session.spec.dtype) == ("fast", FP32)


def test_bf16_that_is_too_far_off_is_not_taken(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = {"one": FakeRuntime(Misfortune(output="black", output_dtypes=(BF16,)), name="one", calibrates=True)}
    assert open_session(tiny_graph, tile=TILE, settings=settings, runtimes=runtimes).spec.dtype == FP32


def test_it_is_measured_once(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = pair()
    open_session(tiny_graph, tile=TILE, settings=settings, runtimes=runtimes)
    measured = runtimes["slow"].tiles_run
    assert measured > 0
    open_session(tiny_graph, tile=TILE, precision="exact", settings=settings, runtimes=runtimes)
    open_session(tiny_graph, tile=TILE, device="slow", settings=settings, runtimes=runtimes)
    assert runtimes["slow"].tiles_run == measured


def test_another_network_of_the_same_name_is_measured_anew(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = pair()
    open_session(tiny_graph, tile=TILE, settings=settings, runtimes=runtimes)
    measured = runtimes["slow"].tiles_run
    for digest in ("another", "another"):
        open_session(replace(tiny_graph, digest=digest), tile=TILE, settings=settings, runtimes=runtimes)
    assert runtimes["slow"].tiles_run == 2 * measured


@pytest.mark.parametrize(("name", "ours"), [("TINY_UP2X", False), ("MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X", True)])
def test_what_was_remembered_without_a_digest_holds_for_our_networks(
    tiny_graph: TinyGraph, settings: Settings, name: str, ours: bool
) -> None:
    runtimes, graph = pair(), replace(tiny_graph, variant=replace(tiny_graph.variant, name=name))
    open_session(graph, tile=TILE, settings=settings, runtimes=runtimes)
    measured, store = runtimes["slow"].tiles_run, calibration_store(settings, runtimes)
    store.put(replace(store.all()[name], digest=""))
    open_session(graph, tile=TILE, settings=settings, runtimes=runtimes)
    assert runtimes["slow"].tiles_run == (measured if ours else 2 * measured)


def test_a_new_runtime_is_measured(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = pair()
    open_session(tiny_graph, tile=TILE, settings=settings, runtimes={"slow": runtimes["slow"]})
    assert open_session(tiny_graph, tile=TILE, settings=settings, runtimes=runtimes).spec.runtime == "fast"


def test_a_device_is_taken_at_its_word(tiny_graph: TinyGraph, settings: Settings) -> None:
    assert open_session(tiny_graph, tile=TILE, device="slow", settings=settings, runtimes=pair()).spec.runtime == "slow"


def test_one_possibility_is_not_measured(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = pair()
    open_session(tiny_graph, tile=TILE, device="slow:cpu", precision="exact", settings=settings, runtimes=runtimes)
    assert runtimes["fast"].tiles_run == runtimes["slow"].tiles_run == 0


def test_when_every_measurement_fails_the_first_is_tried(tiny_graph: TinyGraph, settings: Settings) -> None:
    starved = FakeRuntime(Misfortune(out_of_memory_above_px=1), name="starved", calibrates=True)
    session = open_session(tiny_graph, tile=TILE, settings=settings, runtimes={"starved": starved})
    assert session.spec.dtype == FP32


def test_the_fake_is_neither_measured_nor_chosen_by_itself(tiny_graph: TinyGraph, settings: Settings) -> None:
    session = open_session(tiny_graph, tile=TILE, device="fake", settings=settings)
    assert session.spec.runtime == "fake"
    assert list_calibrations(settings) == ()


def test_real_runtimes_are_measured_and_shown(tiny_graph: TinyGraph, settings: Settings) -> None:
    session = open_session(tiny_graph, tile=TILE, settings=settings)
    (result,) = session.run([np.zeros((*TILE, 3), np.uint8)])
    assert result.shape == session.spec.result
    (shown,) = list_calibrations(settings)
    assert {m.candidate.runtime for m in shown.measurements} == {"openvino", "ncnn"}
    assert all(m.megapixels_per_s > 0 and m.psnr_db > 40 for m in shown.measurements)


def test_a_graph_without_an_ncnn_form_is_for_openvino(tiny_graph: TinyGraph, settings: Settings) -> None:
    graph = replace(tiny_graph, ncnn=None)
    assert open_session(graph, tile=TILE, settings=settings).spec.runtime == "openvino"
    fallen = open_session(graph, tile=TILE, device="ncnn", settings=settings)
    assert fallen.spec.runtime == "openvino"
    assert str(fallen.spec.fallback) == "ncnn cannot run TINY_UP2X."
