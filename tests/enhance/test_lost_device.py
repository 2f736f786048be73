"""A device that is lost in the middle of a page: the page is finished on the next, and its facts say why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from enlarger.enhance import Enhancer, make_recipe
from enlarger.enhance.tile_limits import TileLimits
from enlarger.errors import RuntimeFailedError
from enlarger.messages import Message
from enlarger.models import Graph, Variant, load_catalog
from enlarger.runtimes import FP32, TROUBLES, Device, FakeRuntime, Misfortune
from enlarger.runtimes.device_troubles import PAUSE_S
from enlarger.settings import Settings
from pages import noise, picture

GPU = Device("ncnn", "vulkan:0", "a card", (FP32,), "gpu", memory_bytes=1024**3)
RECIPE = make_recipe(load_catalog())


def enlarging(settings: Settings, runtime: FakeRuntime, path: Path) -> Enhancer:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(path, f"digest of {variant.name}", variant, None)

    return Enhancer(settings, device="vulkan:0", runtimes={"ncnn": runtime}, prepare_graph=prepare)


def machine(**misfortune: object) -> FakeRuntime:
    return FakeRuntime(Misfortune(**misfortune), dtypes=(FP32,), name="ncnn", more_devices=(GPU,))


def test_the_page_is_finished_elsewhere(settings: Settings, identity_graph: Path) -> None:
    runtime = machine(lost_devices=("vulkan:0",))
    pixels = noise(1, 30, 20)
    with enlarging(settings, runtime, identity_graph) as enhancer:
        first, second = (enhancer.enlarge(picture(pixels), RECIPE) for _ in range(2))
    assert np.array_equal(first.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
    for enlarged in (first, second):
        (facts,) = enlarged.facts.passes
        assert facts.device == "cpu"
        assert facts.fallback is not None
        assert "vulkan:0 failed" in Message.from_json(facts.fallback).text("en")
    assert runtime.sessions_closed == runtime.sessions_opened  # the lost one's too


def test_a_device_is_tried_again_when_its_trouble_has_passed(
    settings: Settings, identity_graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(TROUBLES, "_clock", lambda: now[0])
    runtime = machine(lost_devices=("vulkan:0",))
    devices = []
    with enlarging(settings, runtime, identity_graph) as enhancer:
        for wait_s in (0.0, PAUSE_S / 2, PAUSE_S, 0.0):
            now[0] += wait_s
            devices.append(enhancer.enlarge(picture(noise(1, 30, 20)), RECIPE).facts.passes[0].device)
            runtime.misfortune = Misfortune()
    assert devices == ["cpu", "cpu", "vulkan:0", "vulkan:0"]
    assert runtime.sessions_opened == 3


def test_where_nothing_is_lost_nothing_is_said(settings: Settings, identity_graph: Path) -> None:
    with enlarging(settings, machine(), identity_graph) as enhancer:
        (facts,) = enhancer.enlarge(picture(noise(1, 30, 20)), RECIPE).facts.passes
    assert (facts.device, facts.fallback) == ("vulkan:0", None)


def test_when_all_are_lost_the_page_fails(settings: Settings, identity_graph: Path) -> None:
    runtime = machine(lost_devices=("vulkan:0", "cpu"))
    with enlarging(settings, runtime, identity_graph) as enhancer, pytest.raises(RuntimeFailedError, match="failed"):
        enhancer.enlarge(picture(noise(1, 30, 20)), RECIPE)
    assert runtime.tiles_run == 2  # once on each


def test_one_tile_that_fails_on_the_only_device_is_not_computed_again(settings: Settings, identity_graph: Path) -> None:
    runtime = FakeRuntime(Misfortune(fail_at_tile=1), name="ncnn")
    with enlarging(settings, runtime, identity_graph) as enhancer, pytest.raises(RuntimeFailedError):
        enhancer.enlarge(picture(noise(1, 30, 20)), RECIPE)
    assert runtime.tiles_run == 1


def test_a_gpus_own_memory_limits_its_tiles(settings: Settings, identity_graph: Path) -> None:
    graph = Graph(identity_graph, "digest", load_catalog().choose("realesr-animevideov3").variant, None)
    large, small = (TileLimits(settings, device="vulkan:0", device_bytes=size) for size in (2**34, 2**24))
    assert small.limit_px(graph) < large.limit_px(graph)
    halved = TileLimits(settings, device="vulkan:0", device_bytes=2**24, sharers=2)
    assert halved.limit_px(graph) < small.limit_px(graph)


def test_memory_that_ran_out_on_a_gpu_is_not_the_machines(settings: Settings, identity_graph: Path) -> None:
    graph = Graph(identity_graph, "digest", load_catalog().choose("realesr-animevideov3").variant, None)
    machine, gpu = TileLimits(settings), TileLimits(settings, device="vulkan:0", device_bytes=2**34)
    before = machine.limit_px(graph)
    gpu.lower(graph.variant, (64, 64))
    assert gpu.limit_px(graph) == 64 * 64 // 2
    assert TileLimits(settings).limit_px(graph) == before


def test_tiles_for_a_gpus_memory_are_cut_anew_for_the_machines(
    settings: Settings, identity_graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large card is lost on a machine whose memory holds much less."""
    monkeypatch.setattr("enlarger.enhance.enhancer.device_memory_bytes", lambda *_: 2**34)
    monkeypatch.setattr("enlarger.enhance.tile_limits.allowed_memory_bytes", lambda: 2**22)
    runtime = machine(lost_devices=("vulkan:0",))
    pixels = noise(1, 400, 300)
    with enlarging(settings, runtime, identity_graph) as enhancer:
        planned = enhancer.limits.limit_px(enhancer.graph(enhancer.variants(RECIPE, 400, 300)[0]))
        enlarged = [enhancer.enlarge(picture(pixels), RECIPE) for _ in range(2)]
        assert enhancer.limits.elsewhere is not None
        held = enhancer.limits.elsewhere.limit_px(enhancer.graph(enhancer.variants(RECIPE, 400, 300)[0]))
    for each in enlarged:
        (facts,) = each.facts.passes
        assert np.array_equal(each.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
        assert facts.device == "cpu"
        assert np.prod(facts.tile) <= held < planned


def test_a_page_that_overtakes_another_on_a_lost_device_goes_elsewhere(
    settings: Settings, identity_graph: Path
) -> None:
    """The interrupted page still holds the session that both would use."""
    runtime = machine()
    recipe = make_recipe(load_catalog(), tile_px=64)
    slow, urgent = noise(1, 200, 100), noise(2, 200, 100)
    overtaking = []

    def interrupt(_done: float) -> None:
        if not overtaking:
            runtime.misfortune = Misfortune(lost_devices=("vulkan:0",))
            overtaking.append(None)
            overtaking.append(enhancer.enlarge(picture(urgent), recipe))

    with enlarging(settings, runtime, identity_graph) as enhancer:
        interrupted = enhancer.enlarge(picture(slow), recipe, progress=interrupt)
    for enlarged, pixels in ((interrupted, slow), (overtaking[1], urgent)):
        assert enlarged is not None
        assert np.array_equal(enlarged.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
        assert enlarged.facts.passes[0].device == "cpu"
    assert runtime.sessions_closed == runtime.sessions_opened
