"""What a person may write as a device."""

from __future__ import annotations

import pytest

from enlarger.errors import RuntimeFailedError
from enlarger.runtimes import FakeRuntime, find_devices, known_runtimes, list_devices, runtimes_for
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
