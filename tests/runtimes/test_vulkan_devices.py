"""Vulkan devices are found by a child that may die, trusted only after they computed right, and remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import pytest
from vulkan_here import usable

from enlarger.runtimes import vulkan_devices as module
from enlarger.runtimes.vulkan_devices import VulkanDevice, VulkanDevices, VulkanLook, probed
from loud_skips import missing

GIB = 1024**3


def said(*lines: dict[str, object]) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def found(*names: str) -> dict[str, object]:
    return {"found": [{"index": n, "name": name, "software": False} for n, name in enumerate(names)]}


def good(index: int) -> tuple[dict[str, object], ...]:
    return {"testing": index}, {"tested": index, "memory_bytes": GIB, "problem": "", "fp16": True}


class Children:
    """Plays the children: each takes the next answer, and what it was told to skip is kept."""

    def __init__(self, *answers: tuple[str, str]) -> None:
        self.answers = list(answers)
        self.skipped: list[list[int]] = []

    def __call__(self, skipped: Sequence[int]) -> tuple[str, str]:
        self.skipped.append(list(skipped))
        return self.answers.pop(0)


def test_devices_that_compute_right_can_be_used() -> None:
    noise = "WARNING: lavapipe is not a conformant vulkan implementation\n"
    (device,) = probed(Children((noise + said(found("a card"), *good(0)), ""))).devices
    assert device == VulkanDevice(0, "a card", software=False, memory_bytes=GIB, fp16=True)


def test_a_driver_that_crashes_costs_only_its_own_device() -> None:
    children = Children(
        (said(found("a", "b", "c"), *good(0), {"testing": 1}), "crashed"),
        (said(found("a", "b", "c"), *good(2)), ""),
    )
    devices = probed(children).devices
    assert children.skipped == [[], [0, 1]]
    assert [device.problem for device in devices] == ["", "crashed", ""]


def test_a_driver_that_is_silent_is_given_up() -> None:
    children = Children((said(found("a"), {"testing": 0}), "silent"), (said(found("a")), ""))
    assert [device.problem for device in probed(children).devices] == ["silent"]


def test_a_device_that_computes_wrong_is_not_used() -> None:
    wrong = {"tested": 0, "problem": "wrong"}
    (device,) = probed(Children((said(found("a"), {"testing": 0}, wrong), ""))).devices
    assert device.problem


def test_one_that_dies_before_a_device_is_tried_leaves_none_that_is_used() -> None:
    children = Children((said(found("a", "b"), {"testing": 0}), "silent"), ("", "crashed"))
    assert [device.problem for device in probed(children).devices] == ["silent", "crashed"]


def test_a_child_that_dies_at_once_says_nothing_of_devices() -> None:
    assert probed(Children(("", "crashed"))) == VulkanLook((), "crashed")


def one() -> tuple[str, str]:
    return said(found("a card"), *good(0)), ""


def fresh(folder: Path, *answers: tuple[str, str]) -> tuple[VulkanDevices, Children]:
    """As a new process would: nothing is in its memory."""
    module._in_process.clear()
    children = Children(*answers)
    return VulkanDevices(folder, run_probe=children), children


def test_they_are_remembered_by_the_process_and_by_the_next(tmp_path: Path) -> None:
    devices, children = fresh(tmp_path, one())
    assert devices.find() == devices.find()
    assert len(children.skipped) == 1
    again, none = fresh(tmp_path)
    assert again.find() == devices.find()
    assert none.skipped == []


def _driver_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VK_DRIVER_FILES", "/some/other.json")


def _a_day_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 25 * 3600)


@pytest.mark.parametrize("change", [_driver_came, _a_day_passed])
def test_they_are_looked_for_again_when_something_changed(
    change: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices, children = fresh(tmp_path, one(), (said({"found": []}), ""))
    assert len(devices.find()) == 1
    change(monkeypatch)
    assert devices.find() == ()
    assert len(children.skipped) == 2


def test_or_when_asked(tmp_path: Path) -> None:
    devices, children = fresh(tmp_path, one(), one())
    devices.find()
    devices.find(anew=True)
    assert len(children.skipped) == 2


def test_a_look_that_failed_is_remembered_for_ten_minutes_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh(tmp_path, ("", "silent"))[0].find()
    devices, children = fresh(tmp_path, one())
    assert devices.look() == VulkanLook((), "silent")
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 601)
    assert [len(devices.find()), devices.look().problem, len(children.skipped)] == [1, "", 1]


def test_one_that_could_not_begin_says_nothing_to_other_processes(tmp_path: Path) -> None:
    devices, children = fresh(tmp_path, ("", "unstarted"))
    assert devices.look() == devices.look() == VulkanLook((), "unstarted")
    assert len(children.skipped) == 1
    assert len(fresh(tmp_path, one())[0].find()) == 1


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / module.FILE_NAME).write_text("{")
    devices, _ = fresh(tmp_path, one())
    assert len(devices.find()) == 1


def test_a_child_that_does_not_come_back_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.01)
    assert module.run_child([])[1] == "silent"


def test_every_problem_has_a_reason_of_its_own() -> None:
    problems = [problem for problem in get_args(module.Problem) if problem]
    assert len({str(module.explained(problem)) for problem in problems}) == len(problems)


_BROKEN_DRIVER = """
import os, numpy
class Info:
    device_name = lambda self: "a card"
    type = lambda self: 0
class Gpu:
    get_heap_budget = lambda self: 1024
class Net:
    opt = type("Option", (), {})()
    load_param = load_model = lambda self, path: 0
    create_extractor = lambda self: self
    input = lambda self, name, value: 0
    extract = lambda self, name: (0, numpy.ones(3))
    set_vulkan_device = lambda self, index: get_gpu_device(index)
class Mat:
    def __init__(self, values): ...
    clone = lambda self: self
def get_gpu_count(): return 3
def get_gpu_info(index): return Info()
def get_gpu_device(index): return os._exit(139) if index == 1 else Gpu()
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What children take for ncnn."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "ncnn.py").write_text


def test_a_driver_that_dies_while_a_device_is_made_costs_only_its_own(play: Callable[[str], None]) -> None:
    play(_BROKEN_DRIVER)
    devices = probed(module.run_child).devices
    assert [(each.problem, each.memory_bytes) for each in devices] == [("", GIB), ("crashed", 0), ("", GIB)]


def test_an_ncnn_without_vulkan_has_no_devices(play: Callable[[str], None]) -> None:
    play("")
    assert probed(module.run_child) == VulkanLook(())


def test_the_child_finds_this_machines_devices() -> None:
    devices = usable()
    if not devices:
        missing("a Vulkan device")
    assert all(device.name and device.memory_bytes > 0 for device in devices)
    assert all(device.software for device in devices if "llvmpipe" in device.name)


_ENDS = """
import sys
from pathlib import Path
import numpy as np
from tiny_network import make_tiny_graph
from enlarger.runtimes import NcnnRuntime
from vulkan_here import vulkan_devices
graph = make_tiny_graph(Path(sys.argv[1]))
session = NcnnRuntime(vulkan=vulkan_devices()).open(graph, tile=(9, 9), device="vulkan:0", dtype="fp32", pixels="uint8")
left = session.run(np.zeros((9, 9, 3), np.uint8) for _ in range(3))
next(left)
print("computed")
"""


@pytest.mark.slow
def test_a_process_that_leaves_everything_open_ends_in_peace(tmp_path: Path) -> None:
    """Its stderr is clean too: ncnn would list the devices there."""
    if not usable():
        missing("a Vulkan device")
    here = Path(__file__).parent
    paths = os.pathsep.join(map(str, (here.parents[1] / "src", here, here.parent)))
    done = subprocess.run(
        [sys.executable, "-c", _ENDS, tmp_path],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "computed\n", "")
