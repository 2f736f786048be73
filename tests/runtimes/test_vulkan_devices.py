"""Vulkan devices are found by a child that may die, trusted only after they computed right, and remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from vulkan_here import usable

from enlarger.runtimes import vulkan_devices as module
from enlarger.runtimes.vulkan_devices import VulkanDevice, VulkanDevices, probed
from loud_skips import missing

GIB = 1024**3


def said(*lines: dict[str, object]) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def found(*names: str) -> dict[str, object]:
    return {
        "found": [{"index": n, "name": name, "software": False, "memory_bytes": GIB} for n, name in enumerate(names)]
    }


def good(index: int) -> tuple[dict[str, object], ...]:
    return {"testing": index}, {"tested": index, "problem": "", "fp16": True}


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
    (device,) = probed(Children((noise + said(found("a card"), *good(0)), "")))
    assert device == VulkanDevice(0, "a card", software=False, memory_bytes=GIB, fp16=True)


def test_a_driver_that_crashes_costs_only_its_own_device() -> None:
    children = Children(
        (said(found("a", "b", "c"), *good(0), {"testing": 1}), "crashed"),
        (said(found("a", "b", "c"), *good(2)), ""),
    )
    devices = probed(children)
    assert children.skipped == [[], [0, 1]]
    assert [device.problem for device in devices] == ["", "crashed", ""]


def test_a_driver_that_is_silent_is_given_up() -> None:
    children = Children((said(found("a"), {"testing": 0}), "silent"), (said(found("a")), ""))
    assert [device.problem for device in probed(children)] == ["silent"]


def test_a_device_that_computes_wrong_is_not_used() -> None:
    wrong = {"tested": 0, "problem": "wrong"}
    (device,) = probed(Children((said(found("a"), {"testing": 0}, wrong), "")))
    assert device.problem


def test_a_child_that_dies_at_once_means_no_device() -> None:
    assert probed(Children(("", "crashed"))) == ()


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


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / module.FILE_NAME).write_text("{")
    devices, _ = fresh(tmp_path, one())
    assert len(devices.find()) == 1


def test_a_child_that_does_not_come_back_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.01)
    assert module.run_child([])[1] == "silent"


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
