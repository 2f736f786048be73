"""Devices are proven by a run; and a machine's devices can be asked for without loading a library."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing import spawn

import pytest
from vulkan_here import vulkan_runtime

from enlarger.runtimes import (
    BF16,
    FP32,
    Device,
    FakeRuntime,
    Misfortune,
    NcnnRuntime,
    OpenVinoRuntime,
    Runtime,
    devices_apart,
    diagnose,
    is_proven,
    list_devices_apart,
    prove,
)
from enlarger.settings import Settings

GPU = Device("two", "gpu:0", "a card", (FP32,), "gpu")


def test_every_device_of_this_machine_computes_the_same() -> None:
    runtimes: dict[str, Runtime] = {"openvino": OpenVinoRuntime(), "ncnn": NcnnRuntime()}
    proofs = prove(runtimes)
    offered = {(d.runtime, d.id, dtype) for r in runtimes.values() for d in r.devices() for dtype in d.dtypes}
    assert {(p.candidate.runtime, p.candidate.device, p.candidate.dtype) for p in proofs} == offered
    assert all(is_proven(proof) for proof in proofs), proofs


@pytest.mark.slow
def test_the_gpu_that_stands_in_computes_the_same() -> None:
    proofs = [p for p in prove({"ncnn": vulkan_runtime()}) if p.candidate.device == "vulkan:0"]
    assert len(proofs) == len(vulkan_runtime().devices()[1].dtypes)
    assert all(is_proven(proof) for proof in proofs), proofs


def test_one_that_fails_or_computes_something_else_is_told() -> None:
    runtimes = {
        "one": FakeRuntime(name="one"),
        "two": FakeRuntime(Misfortune(closed_devices=("gpu:0",)), name="two", more_devices=(GPU,)),
        "three": FakeRuntime(Misfortune(output="black"), dtypes=(FP32,), name="three"),
        "four": FakeRuntime(Misfortune(output="constant", output_dtypes=(BF16,)), name="four"),
    }
    bad = {(p.candidate.runtime, p.candidate.device, p.candidate.dtype) for p in prove(runtimes) if not is_proven(p)}
    assert bad == {("two", "gpu:0", FP32), ("three", "cpu", FP32), ("four", "cpu", BF16)}


def test_the_doctor_says_so(settings: Settings) -> None:
    runtimes = {
        "one": FakeRuntime(name="one"),
        "two": FakeRuntime(Misfortune(closed_devices=("gpu:0",)), name="two", more_devices=(GPU,)),
    }
    findings = {str(finding.what): finding.status for finding in diagnose(settings, runtimes=runtimes)}
    assert findings["one:cpu computes in bf16."] == "ok"
    (told,) = [status for what, status in findings.items() if what.startswith("two:gpu:0 does not compute in fp32")]
    assert told == "warning"


def test_nothing_here_proves_nothing() -> None:
    assert prove({}) == ()


def test_devices_are_listed_without_loading_a_library(settings: Settings) -> None:
    script = (
        "import sys; from pathlib import Path; from enlarger.runtimes import list_devices_apart\n"
        "from enlarger.settings import Settings\n"
        "print([d.full_name for d in list_devices_apart(Settings(data_dir=Path(sys.argv[1])))])\n"
        "print({'openvino', 'ncnn', 'onnx'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, settings.data_dir], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines() == ["['openvino:cpu', 'ncnn:cpu']", "set()"]


def test_they_are_asked_for_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Settings] = []
    monkeypatch.setattr(devices_apart, "_asked", lambda given: asked.append(given) or (GPU,))
    assert [list_devices_apart(settings, anew=anew) for anew in (False, False, True)] == [(GPU,)] * 3
    assert len(asked) == 2


class Crowded:
    """A lock that says when so many wait for it or hold it."""

    def __init__(self, most: int) -> None:
        self._left, self._lock, self.full = count(most - 1, -1), threading.Lock(), threading.Event()

    def __enter__(self) -> None:
        if next(self._left) == 0:
            self.full.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("found", [(GPU,), ()])
def test_whoever_waits_takes_the_answer_that_was_just_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, found: tuple[Device, ...]
) -> None:
    asked, lock = list[bool](), Crowded(8)
    monkeypatch.setattr(devices_apart, "_lock", lock)
    monkeypatch.setattr(devices_apart, "_asked", lambda _: asked.append(lock.full.wait(60)) or found)
    with ThreadPoolExecutor(8) as crowd:
        answers = [crowd.submit(list_devices_apart, settings, anew=True) for _ in range(8)]
    assert {each.result() for each in answers} == {found}
    assert asked == [True]


def test_that_there_is_none_is_believed_for_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Settings] = []
    monkeypatch.setattr(devices_apart, "_asked", lambda given: asked.append(given) or ())
    assert [list_devices_apart(settings), list_devices_apart(settings), len(asked)] == [(), (), 1]
    now = time.monotonic()
    monkeypatch.setattr(devices_apart.time, "monotonic", lambda: now + 61)
    assert [list_devices_apart(settings), len(asked)] == [(), 2]


def test_a_child_that_fails_finds_nothing(settings: Settings) -> None:
    usual = spawn.get_executable()
    spawn.set_executable("/does/not/exist")
    try:
        assert list_devices_apart(settings) == ()
    finally:
        spawn.set_executable(usual)
