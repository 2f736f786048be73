"""A device that is not here, does not open or fails gives its work to the next, and the reason goes along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.errors import OutOfMemoryError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes import FP16, FP32, TROUBLES, Device, FakeRuntime, Misfortune, Session, open_session
from enlarger.runtimes.device_troubles import PAUSE_S, DeviceTroubles
from enlarger.runtimes.opening import calibration_store
from enlarger.settings import Settings

TILE = (16, 20)
GPU = Device("ncnn", "vulkan:0", "a card", (FP32,), "gpu")
PLAYED = replace(GPU, id="vulkan:1", software=True)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.runtimes.calibration._ROUNDS", 1)


def machine(**misfortune: tuple[str, ...]) -> dict[str, FakeRuntime]:
    """A CPU that is slow for OpenVINO, and a GPU that ncnn reaches."""
    slow = FakeRuntime(Misfortune(delay_s=0.02), dtypes=(FP32,), name="openvino", calibrates=True)
    ncnn = FakeRuntime(
        Misfortune(**misfortune), dtypes=(FP32,), name="ncnn", calibrates=True, more_devices=(GPU, PLAYED)
    )
    return {"openvino": slow, "ncnn": ncnn}


def opened(graph: TinyGraph, settings: Settings, device: str, runtimes: dict[str, FakeRuntime]) -> Session:
    return open_session(graph, tile=TILE, device=device, settings=settings, runtimes=runtimes)


def test_a_device_that_is_here_is_taken_without_a_word(tiny_graph: TinyGraph, settings: Settings) -> None:
    spec = opened(tiny_graph, settings, "vulkan:0", machine()).spec
    assert (spec.device, spec.fallback) == ("vulkan:0", None)


def test_a_device_of_another_machine_falls_back(tiny_graph: TinyGraph, settings: Settings) -> None:
    session = opened(tiny_graph, settings, "gpu:3", machine())
    assert session.spec.fallback is not None
    assert "“gpu:3”" in session.spec.fallback.text("en")
    (result,) = session.run([np.zeros((*TILE, 3), np.uint8)])
    assert result.shape == session.spec.result


def test_a_misspelt_device_is_an_error(tiny_graph: TinyGraph, settings: Settings) -> None:
    with pytest.raises(RuntimeFailedError, match="“vulcan”"):
        opened(tiny_graph, settings, "vulcan", machine())


def test_one_that_does_not_open_falls_back_and_is_left_alone(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = machine(closed_devices=("vulkan:0",))
    for _ in range(2):
        spec = opened(tiny_graph, settings, "vulkan:0", runtimes).spec
        assert spec.device == "cpu"
        assert spec.fallback is not None
        assert "vulkan:0 failed" in spec.fallback.text("en")
    TROUBLES.forget()
    runtimes["ncnn"].misfortune = Misfortune()
    assert opened(tiny_graph, settings, "vulkan:0", runtimes).spec.device == "vulkan:0"


def test_one_in_trouble_is_tried_when_nothing_else_is_left(tiny_graph: TinyGraph, settings: Settings) -> None:
    alone = {"ncnn": FakeRuntime(name="ncnn")}
    TROUBLES.note("ncnn", "cpu", msg("it hiccuped"))
    spec = opened(tiny_graph, settings, "auto", alone).spec
    assert spec.device == "cpu"
    assert str(spec.fallback) == "it hiccuped"


def test_when_nothing_opens_the_first_reason_is_told(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = {"ncnn": FakeRuntime(Misfortune(closed_devices=("cpu", "vulkan:0")), name="ncnn", more_devices=(GPU,))}
    with pytest.raises(RuntimeFailedError, match="vulkan:0 failed"):
        opened(tiny_graph, settings, "vulkan:0", runtimes)


def test_too_little_memory_is_no_reason_to_change_the_device(tiny_graph: TinyGraph, settings: Settings) -> None:
    """The enhancer halves its tiles at that."""

    class Full(FakeRuntime):
        def open(self, *_: object, **__: object) -> Session:  # type: ignore[override]
            raise OutOfMemoryError(msg("full"))

    with pytest.raises(OutOfMemoryError):
        opened(tiny_graph, settings, "ncnn", {"ncnn": Full(name="ncnn"), "openvino": machine()["openvino"]})


def test_auto_never_takes_nor_measures_a_gpu_that_the_cpu_plays(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = machine()
    opened(tiny_graph, settings, "auto", runtimes)
    known = calibration_store(settings, runtimes).get(tiny_graph.variant.name)
    assert known is not None
    assert {each.candidate.device for each in known.measurements} == {"cpu", "vulkan:0"}
    assert opened(tiny_graph, settings, "vulkan:1", runtimes).spec.device == "vulkan:1"


def test_troubles_pass() -> None:
    now = [100.0]
    troubles = DeviceTroubles(clock=lambda: now[0])
    troubles.note("ncnn", "vulkan:0", msg("lost"))
    assert str(troubles.of("ncnn", "vulkan:0")) == "lost"
    assert troubles.of("ncnn", "vulkan:1") is None
    now[0] += PAUSE_S
    assert troubles.of("ncnn", "vulkan:0") is None


@pytest.mark.parametrize("output", ["nearest", "black"])
def test_one_arithmetic_that_is_not_fp32_is_measured_before_it_is_taken(
    tiny_graph: TinyGraph, settings: Settings, output: str
) -> None:
    runtimes = machine(output=output, output_dtypes=(FP16,))
    runtimes["ncnn"].more_devices = (replace(GPU, id="npu", dtypes=(FP16,)),)
    spec = opened(tiny_graph, settings, "npu", runtimes).spec
    assert spec.device == ("npu" if output == "nearest" else "cpu")
    assert (spec.fallback is None) == (output == "nearest")


def test_a_device_that_computes_wrongly_in_all_it_has_is_not_taken(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = machine(lost_devices=("vulkan:0",))
    runtimes["ncnn"].more_devices = (replace(GPU, dtypes=(FP32, FP16)),)
    spec = opened(tiny_graph, settings, "vulkan:0", runtimes).spec
    assert spec.device == "cpu"
    assert "wrongly, or not at all" in str(spec.fallback)


def test_one_network_that_fails_leaves_the_device_to_the_others(tiny_graph: TinyGraph, settings: Settings) -> None:
    runtimes = machine(closed_devices=("vulkan:0",))
    assert opened(tiny_graph, settings, "vulkan:0", runtimes).spec.device == "cpu"
    runtimes["ncnn"].misfortune = Misfortune()
    other = replace(tiny_graph, digest="another network")
    assert opened(other, settings, "vulkan:0", runtimes).spec.device == "vulkan:0"
    assert opened(tiny_graph, settings, "vulkan:0", runtimes).spec.device == "cpu"


def test_a_device_that_two_networks_failed_on_is_left_alone_by_all() -> None:
    now = [100.0]
    troubles = DeviceTroubles(clock=lambda: now[0])
    troubles.note("ncnn", "vulkan:0", msg("lost"), graph="one")
    assert troubles.of("ncnn", "vulkan:0", "two") is None
    now[0] += PAUSE_S / 2
    troubles.note("ncnn", "vulkan:0", msg("lost"), graph="two")
    assert str(troubles.of("ncnn", "vulkan:0", "three")) == "lost"
    now[0] += PAUSE_S / 2
    assert troubles.of("ncnn", "vulkan:0", "three") is None
    assert str(troubles.of("ncnn", "vulkan:0", "two")) == "lost"
