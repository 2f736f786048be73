"""Measurements remembered from one run to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from enlarger.runtimes import FP32, Calibration, Candidate, Measurement
from enlarger.runtimes.calibration_store import CalibrationStore, Machine

MACHINE = Machine("Some CPU", ("AVX2",), 4, {"openvino": "2026.1", "ncnn": "1.0"})
MEASURED = Calibration(
    "waifu2x-cunet",
    "cunet",
    (256, 256),
    (
        Measurement(Candidate("openvino", "cpu", FP32), 0.25, 120.0),
        Measurement(Candidate("ncnn", "cpu", FP32), problem="it failed"),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "calibration.json"


def test_what_was_put_comes_back(path: Path) -> None:
    CalibrationStore(path, MACHINE).put(MEASURED)
    assert CalibrationStore(path, MACHINE).get("cunet") == MEASURED
    assert CalibrationStore(path, MACHINE).get("other") is None


@pytest.mark.parametrize(
    "other",
    [
        {"cpu": "x"},
        {"features": ()},
        {"threads": 2},
        {"runtimes": {"openvino": "2026.2", "ncnn": "1.0"}},
        {"limits": ("ONEDNN_MAX_CPU_ISA=AVX2",)},
    ],
)
def test_another_machine_measures_for_itself(path: Path, other: dict[str, object]) -> None:
    CalibrationStore(path, MACHINE).put(MEASURED)
    store = CalibrationStore(path, replace(MACHINE, **other))
    assert store.get("cunet") is None
    store.put(MEASURED)
    assert CalibrationStore(path, MACHINE).get("cunet") == MEASURED  # both are kept


def test_networks_add_up_and_are_replaced(path: Path) -> None:
    store = CalibrationStore(path, MACHINE)
    store.put(MEASURED)
    store.put(replace(MEASURED, network="other"))
    store.put(replace(MEASURED, tile=(64, 64)))
    assert {name: c.tile for name, c in store.all().items()} == {"cunet": (64, 64), "other": (256, 256)}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": {"machine": 1}}', b"\xff\xfe"])
def test_a_broken_file_is_as_good_as_none(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = CalibrationStore(path, MACHINE)
    assert store.get("cunet") is None
    store.put(MEASURED)
    assert store.get("cunet") == MEASURED


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = CalibrationStore(tmp_path / "file" / "calibration.json", MACHINE)
    store.put(MEASURED)
    assert store.all() == {}
