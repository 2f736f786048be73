"""What a person may write as a device."""

from __future__ import annotations

import pytest

from enlarger.errors import RuntimeFailedError
from enlarger.runtimes import (
    FP32,
    Device,
    FakeRuntime,
    could_be_a_device,
    find_devices,
    known_runtimes,
    list_devices,
    runtimes_for,
)
from enlarger.settings import Settings

RUNTIMES = {name: FakeRuntime(name=name) for name in ("openvino", "ncnn")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto", ["openvino", "ncnn"]),
        ("cpu", ["openvino", "ncnn"]),
        ("CPU ", ["openvino", "ncnn"]),
        ("openvino", ["openvino"]),
        ("ncnn:cpu", ["ncnn"]),
    ],
)
def test_names(name: str, expected: list[str]) -> None:
    assert [device.runtime for device in find_devices(name, RUNTIMES)] == expected


def gpu(runtime: str, number: str, *, software: bool = False) -> Device:
    return Device(runtime, number, "a card", (FP32,), "gpu", software)


CARDS = {
    "openvino": FakeRuntime(name="openvino", more_devices=(gpu("openvino", "gpu:0"), gpu("openvino", "gpu:1"))),
    "ncnn": FakeRuntime(name="ncnn", more_devices=(gpu("ncnn", "vulkan:0"), gpu("ncnn", "vulkan:1", software=True))),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto", "openvino:cpu openvino:gpu:0 openvino:gpu:1 ncnn:cpu ncnn:vulkan:0"),
        ("cpu", "openvino:cpu ncnn:cpu"),
        ("gpu", "openvino:gpu:0 openvino:gpu:1 ncnn:vulkan:0"),
        ("gpu:1", "openvino:gpu:1"),
        ("vulkan", "ncnn:vulkan:0"),
        ("ncnn", "ncnn:cpu ncnn:vulkan:0"),
        ("vulkan:1", "ncnn:vulkan:1"),
        ("ncnn:vulkan:1", "ncnn:vulkan:1"),
    ],
)
def test_names_of_gpus(name: str, expected: str) -> None:
    assert " ".join(device.full_name for device in find_devices(name, CARDS)) == expected


def test_a_gpu_that_the_cpu_plays_is_only_meant_where_vulkan_is_named() -> None:
    played = {
        "ncnn": FakeRuntime(name="ncnn", more_devices=(gpu("ncnn", "vulkan:0", software=True),)),
    }
    assert [device.id for device in find_devices("auto", played)] == ["cpu"]
    assert [device.id for device in find_devices("vulkan", played)] == ["vulkan:0"]
    with pytest.raises(RuntimeFailedError, match="vulkan:0"):
        find_devices("gpu", played)


@pytest.mark.parametrize(
    "name", ["auto", "cpu", "gpu", "gpu:3", "npu", "vulkan:2", "ncnn", "ncnn:vulkan:1", "OpenVINO:GPU.1"]
)
def test_devices_of_other_machines_are_known_by_their_names(name: str) -> None:
    assert could_be_a_device(name)


@pytest.mark.parametrize("name", ["", "cuda", "vulcan", "vulkan:", "cpu:x", "openvino:"])
def test_misspelt_devices_are_not(name: str) -> None:
    assert not could_be_a_device(name)


@pytest.mark.parametrize("name", ["", "gpu", "openvino:gpu", "cuda", "fake"])
def test_an_unknown_name_is_told_what_exists(name: str) -> None:
    with pytest.raises(RuntimeFailedError, match="auto, cpu, openvino:cpu, ncnn:cpu"):
        find_devices(name, RUNTIMES)


def test_without_any_runtime_the_doctor_is_named() -> None:
    with pytest.raises(RuntimeFailedError, match="enlarger doctor"):
        find_devices("auto", {})


def test_the_fake_must_be_asked_for(settings: Settings) -> None:
    assert "fake" not in known_runtimes(settings)
    assert list(runtimes_for("fake:cpu", settings)) == ["fake"]
    assert "fake" not in runtimes_for("auto", settings)


def test_this_machine_has_openvino_and_ncnn(settings: Settings) -> None:
    assert [f"{device.runtime}:{device.id}" for device in list_devices(settings)] == ["openvino:cpu", "ncnn:cpu"]
