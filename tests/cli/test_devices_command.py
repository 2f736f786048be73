"""`enlarger devices`: what is here, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from command_running import SMALL_MODEL, Enlarger, require_weights

from enlarger.cli.devices import default_network
from enlarger.cli.jobs_client import JobsClient
from enlarger.enhance import Enhancer, make_recipe
from enlarger.models import Card, load_catalog
from enlarger.runtimes import Calibration, Candidate, Measurement, VulkanDevices
from enlarger.runtimes.devices import known_runtimes
from enlarger.runtimes.opening import calibration_store
from enlarger.settings import Settings


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
    network = default_network(load_catalog(), SMALL_MODEL).name
    assert f"Measuring {network}" in measured.err
    (calibration,) = measured.json["calibrations"]
    assert (calibration["network"], calibration["model"]) == (network, SMALL_MODEL)
    assert calibration["auto"]["device"] in {each["device"] for each in calibration["measurements"]}
    assert max(each["megapixelsPerSecond"] for each in calibration["measurements"]) > 0
    assert enlarger("devices", "--json").json["calibrations"] == [calibration]
    shown = enlarger("devices").out
    assert network in shown
    assert " *" in shown


def test_each_network_of_a_card_is_shown_under_its_own_name(enlarger: Enlarger) -> None:
    settings = Settings()
    candidate = Candidate("openvino", "cpu", "fp32")
    store = calibration_store(settings, known_runtimes(settings))
    for network, speed in (("MODEL_FIRST", 0.125), ("MODEL_SECOND", 0.5)):
        store.put(Calibration("one-card", network, (160, 160), (Measurement(candidate, speed, 120.0),)))
    found = enlarger("devices", "--json").json["calibrations"]
    assert [(each["network"], each["model"]) for each in found] == [
        ("MODEL_FIRST", "one-card"),
        ("MODEL_SECOND", "one-card"),
    ]
    rows = enlarger("devices").out.splitlines()
    assert any("MODEL_FIRST" in row and "0.125" in row for row in rows)
    assert any("MODEL_SECOND" in row and "0.500" in row for row in rows)


@pytest.mark.parametrize("card", load_catalog().cards, ids=lambda card: card.name)
def test_calibration_is_of_what_upscale_runs(card: Card) -> None:
    enhancer = Enhancer()
    recipe = make_recipe(enhancer.catalog, model=card.name)
    network = default_network(enhancer.catalog, card.name)
    assert network == enhancer.variants(recipe, 1400, 2000)[0]
    assert network.noise is None or None not in card.noises(network.scale)


def test_a_network_can_be_named() -> None:
    assert default_network(load_catalog(), "MODEL_REALCUGAN_SE_UP3X").name == "MODEL_REALCUGAN_SE_UP3X"


def test_every_device_computes_a_tile_when_asked(enlarger: Enlarger) -> None:
    done = enlarger("devices", "--test", "--json")
    assert done.code == 0
    tests = done.json["tests"]
    assert {"openvino:cpu", "ncnn:cpu"} == {each["device"] for each in tests}
    assert all(each["passed"] and each["megapixelsPerSecond"] > 0 for each in tests)
    assert "passed" in enlarger("devices", "--test").out


@pytest.mark.parametrize("option", ["--test", "--json"])
def test_vulkan_is_looked_at_anew(enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    looked: list[bool] = []
    monkeypatch.setenv("ENLARGER_VULKAN", "1")
    monkeypatch.setattr("enlarger.runtimes.prove", lambda _: ())
    monkeypatch.setattr(VulkanDevices, "find", lambda _self, *, anew=False: looked.append(anew) or ())
    enlarger("devices", option)
    assert looked[0]


def test_a_server_that_is_not_there_cannot_change_its_devices(enlarger: Enlarger) -> None:
    done = enlarger("devices", "--use", "cpu", "--server", "http://127.0.0.1:9")
    assert done.code != 0
    assert "No server answers" in done.err


def test_the_devices_of_a_server_are_changed(enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def use_devices(_client: JobsClient, devices: Sequence[str]) -> dict[str, object]:
        asked.append(tuple(devices))
        return {"workers": [], "chosen": list(devices)}

    monkeypatch.setattr(JobsClient, "use_devices", use_devices)
    done = enlarger("devices", "--use", "vulkan:0", "--use", "openvino:cpu")
    assert done.code == 0
    assert "vulkan:0, openvino:cpu" in done.out
    assert asked == [("vulkan:0", "openvino:cpu")]


def test_what_there_was_no_time_for_is_not_said_to_have_failed(
    enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs = (
        Measurement(Candidate("openvino", "cpu", "fp32"), 1.0, 120.0),
        Measurement(Candidate("openvino", "cpu", "bf16"), problem="no time", skipped=True),
    )
    monkeypatch.setattr("enlarger.runtimes.prove", lambda _: proofs)
    done = enlarger("devices", "--test")
    assert done.code == 0
    assert "not measured" in done.out
    assert "failed" not in done.out
