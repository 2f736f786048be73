"""`enlarger devices`: what is here, and what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_running import SMALL_MODEL, Enlarger, require_weights


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def test_devices_before_anything_is_measured(enlarger: Enlarger) -> None:
    done = enlarger("devices")
    assert done.code == 0
    assert "openvino:cpu" in done.out
    assert "Nothing is measured yet" in done.out
    found = enlarger("devices", "--json").json
    assert found["calibrations"] == []
    assert {"fp32"} <= set(found["devices"][0]["dtypes"])


@pytest.mark.slow
@pytest.mark.weights
def test_what_was_measured_is_remembered(enlarger: Enlarger) -> None:
    require_weights()
    measured = enlarger("devices", SMALL_MODEL, "--calibrate", "--json")
    assert f"Measuring {SMALL_MODEL}" in measured.err
    (calibration,) = measured.json["calibrations"]
    assert calibration["model"] == SMALL_MODEL
    assert calibration["auto"]["device"] in {each["device"] for each in calibration["measurements"]}
    assert max(each["megapixelsPerSecond"] for each in calibration["measurements"]) > 0
    assert enlarger("devices", "--json").json["calibrations"] == [calibration]
    assert " *" in enlarger("devices").out
