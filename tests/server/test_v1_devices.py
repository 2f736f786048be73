"""Devices over HTTP: what is there, what the workers use, and another one without a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fake_workers import page_file
from job_making import until

from conftest import Service
from enlarger.errors import RuntimeFailedError
from enlarger.jobs import WorkerState
from enlarger.jobs.protocol import OpenModel
from enlarger.messages import msg
from enlarger.models import load_catalog
from enlarger.runtimes import FP32, Device
from enlarger.server.v1 import views
from enlarger.settings import Settings


@pytest.fixture
def _auto_again(service: Service) -> Iterator[None]:
    yield
    service.http.put("/v1/devices", json={"devices": ["auto"]})


@pytest.mark.usefixtures("_auto_again")
def test_workers_change_their_device_while_the_server_runs(service: Service, tmp_path: Path) -> None:
    before = service.http.get("/v1/devices").json()
    assert before["chosen"] == ["auto"]
    changed = service.http.put("/v1/devices", json={"devices": ["fake:cpu"]})
    assert (changed.status_code, changed.json()["chosen"]) == (200, ["fake:cpu"])
    worker = until(lambda: [each for each in _workers(service) if each["device"] == "fake:cpu"])[0]
    assert worker["pid"] == before["workers"][0]["pid"]
    data = page_file(tmp_path, "a.png", 4711, 77).read_bytes()
    assert service.http.post("/v1/upscale", params={"tile": 32}, content=data).status_code == 200
    worker = until(lambda: [each for each in _workers(service) if each["models"]])[0]
    assert worker["models"][0]["fallback"] is None


def _workers(service: Service) -> list[dict[str, Any]]:
    workers: list[dict[str, Any]] = service.http.get("/v1/devices").json()["workers"]
    return workers


def test_a_device_that_is_not_here_is_refused_with_those_that_are(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = Device("openvino", "cpu", "a processor", (FP32,))
    monkeypatch.setattr("enlarger.jobs.jobs.list_devices_apart", lambda _settings: (cpu,))
    for name in ("vulkan:0", "vulcan", "fakes"):
        answer = service.http.put("/v1/devices", json={"devices": [name]}, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_recipe")
        assert name in answer.json()["detail"]
        assert "openvino:cpu" in answer.json()["remedy"]
    assert service.http.put("/v1/devices", json={"devices": []}).status_code == 422
    assert service.http.get("/v1/devices").json()["chosen"] == ["auto"]


def test_what_the_machine_has_is_listed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Device("ncnn", "vulkan:0", "a card", (FP32,), "gpu", software=True)
    monkeypatch.setattr("enlarger.server.v1.device_routes.list_devices_apart", lambda _settings, *, anew: (found,))
    shown = service.http.get("/v1/devices/present").json()["devices"]
    assert shown == [{"device": "ncnn:vulkan:0", "name": "a card", "kind": "gpu", "software": True, "dtypes": ["fp32"]}]


@pytest.mark.parametrize(("verb", "path"), [("GET", "/v1/devices/present?anew=true"), ("PUT", "/v1/devices")])
def test_nothing_else_waits_while_a_driver_hangs(
    service: Service, monkeypatch: pytest.MonkeyPatch, verb: str, path: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang(_settings: Settings, *, anew: bool = False) -> tuple[Device, ...]:
        begun.set()
        go_on.wait(60)
        return ()

    for module in ("enlarger.jobs.jobs", "enlarger.server.v1.device_routes"):
        monkeypatch.setattr(f"{module}.list_devices_apart", hang)
    with ThreadPoolExecutor(20) as crowd:  # more than there are threads of any kind
        asked = [crowd.submit(service.http.request, verb, path, json={"devices": ["cpu"]}) for _ in range(20)]
        try:
            assert begun.wait(30)
            assert service.http.get("/v1/devices", timeout=20).json()["chosen"] == ["auto"]
        finally:
            go_on.set()
        assert {each.result().status_code for each in asked} == {200 if verb == "GET" else 422}


def test_why_a_worker_is_elsewhere_is_told_in_the_readers_language() -> None:
    why = RuntimeFailedError(msg("There is no device “{device}” here.", device="vulkan:0")).message
    model = OpenModel("MODEL_WAIFU2X_CUNET_UP2X", "openvino", "cpu", "fp32", why)
    state = WorkerState("worker-1", 1, "idle", 0, (model,), (), 0.0, "vulkan:0")
    view = views.worker_view(state, load_catalog(), language="en")
    assert (view.device, view.models[0].device) == ("vulkan:0", "cpu")
    assert view.models[0].fallback == "There is no device “vulkan:0” here."
