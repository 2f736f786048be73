"""The manga contract, spoken by a client that knows nothing but it, with `enlarger serve` and real networks."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from manga_client import Artifact, MangaClient, State
from page_files import page, write, write_zip
from PIL import Image

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow, pytest.mark.timeout(600)]
_TOKEN = "a token of the test"
_KEYS = {"jobId", "status", "processed", "total", "artifactPath", "message", "retries", "lastError", "artifactHash"}
_KEYS |= {"params", "metadata"}
_TITLE, _VOLUME = "Rei Chan 恐怖", "Vol. 1"
_SLUGS = ("rei-chan-恐怖", "vol-1")
_TARGETS = [f"{number:04}.jpg" for number in range(1, 5)]
_MANIFEST = {
    "version": 1,
    "created_at": "2025-01-01T00:00:00.000Z",
    "pad": 4,
    "target_extension": "jpg",
    "files": [{"source": f"scan {number}.png", "target": target} for number, target in enumerate(_TARGETS)],
    "skipped": [],
    "split_applied": False,
}


@pytest.fixture(scope="module")
def service(graphs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(graphs_dir, tmp_path_factory.mktemp("service"), {"ENLARGER_TOKEN": _TOKEN})
    try:
        service.start().alive()
        yield service
    finally:
        service.stop()


@pytest.fixture
def client(service: Service) -> Iterator[MangaClient]:
    with MangaClient(service.url, _TOKEN) as client:
        yield client


@pytest.fixture(scope="module")
def upload() -> dict[str, bytes]:
    """What the client uploads: renamed pages, and its manifest."""
    pages = {name: page(seed, kind="JPEG", quality=92) for seed, name in enumerate(_TARGETS)}
    return {**pages, "manifest.json": json.dumps(_MANIFEST).encode()}


def source(service: Service, upload: dict[str, bytes], kind: str) -> str:
    """The upload as a folder or a zip below incoming/, and the path that names it."""
    incoming = service.storage / "incoming"
    if kind == "zip":
        write_zip(incoming / "vol.zip", upload)
        return "incoming/vol.zip"
    for name, data in upload.items():
        write(incoming / "vol" / name, data)
    return "vol"


@pytest.mark.parametrize(("kind", "prefix"), [("folder", ""), ("zip", "/api")])
def test_a_volume_comes_back_whole_and_provable(
    kind: str, prefix: str, service: Service, upload: dict[str, bytes]
) -> None:
    with MangaClient(service.url + prefix, _TOKEN) as client:
        _run(kind, client, service, upload)


def _run(kind: str, client: MangaClient, service: Service, upload: dict[str, bytes]) -> None:
    job_id = client.create(_TITLE, _VOLUME, kind, source(service, upload, kind))
    assert UUID(job_id).version == 4
    states = list(client.watch(job_id))
    _assert_orderly(states)
    assert client.state(job_id) == states[-1]
    artifact = client.download(job_id)
    _assert_proven(states[-1], artifact, service)
    assert not client.has_changed(job_id, artifact.etag)
    assert client.has_changed(job_id, "another")
    _assert_enlarged(upload, artifact)
    reconciled = artifact.reconcile(_MANIFEST)
    assert reconciled.matched == _TARGETS
    assert (reconciled.missing, reconciled.extra, reconciled.mismatched) == ([], [], [])


def _assert_orderly(states: list[State]) -> None:
    assert all(set(state) == _KEYS for state in states)
    assert all(state["status"] in ("PENDING", "RUNNING") for state in states[:-1])
    processed = [state["processed"] for state in states]
    assert processed == sorted(processed)
    assert {state["total"] for state in states} <= {0, len(_TARGETS)}
    last = states[-1]
    assert (last["status"], last["processed"], last["total"]) == ("SUCCESS", len(_TARGETS), len(_TARGETS))
    assert (last["message"], last["lastError"], last["retries"]) == (None, None, 0)
    assert last["metadata"] == {"title": _TITLE, "volume": _VOLUME}
    assert last["params"]["model"] == "RealESRGAN_x4plus_anime_6B"


def _assert_proven(state: State, artifact: Artifact, service: Service) -> None:
    assert artifact.etag == artifact.sha256 == state["artifactHash"]
    assert state["artifactPath"] == f"artifacts/{'-'.join(_SLUGS)}-{state['jobId']}.zip"
    assert (service.storage / state["artifactPath"]).read_bytes() == artifact.data
    report = artifact.report
    assert (report["jobId"], report["title"], report["volume"]) == (state["jobId"], _TITLE, _VOLUME)
    assert (report["processed"], report["total"]) == (len(_TARGETS), len(_TARGETS))
    assert report["summary"] == {"processed": len(_TARGETS), "failed": 0}
    assert (report["model"], report["outscale"]) == ("RealESRGAN_x4plus_anime_6B", 2.0)
    assert isinstance(report["outscale"], float)
    assert report["items"] == [
        {"filename": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in artifact.pages.items()
    ]
    text = artifact.members["artifact-report.json"].decode()
    assert _TITLE in text  # UTF-8, not escaped
    assert text.startswith('{\n  "')


def _assert_enlarged(upload: dict[str, bytes], artifact: Artifact) -> None:
    for name, data in artifact.pages.items():
        with Image.open(io.BytesIO(data)) as after, Image.open(io.BytesIO(upload[name])) as before:
            assert after.format == "JPEG"
            assert after.size == (before.width * 2, before.height * 2)


def test_the_other_model_runs_too_and_says_what_it_was_asked_for(
    client: MangaClient, service: Service, upload: dict[str, bytes]
) -> None:
    """Broken in the original: it could not be loaded."""
    params: dict[str, Any] = {"model": "REALESR-AnimeVideoV3", "scale": 4, "outputFormat": "png", "device": "cuda"}
    job_id = client.create(_TITLE, _VOLUME, "folder", source(service, upload, "folder"), **params)
    state = list(client.poll(job_id))[-1]
    assert state["status"] == "SUCCESS"
    assert "CUDA" in state["message"]
    artifact = client.download(job_id)
    assert sorted(artifact.pages) == [name.replace(".jpg", ".png") for name in _TARGETS]
    assert "cuda" not in artifact.report["device"]
    assert client.report(job_id)["artifactHash"] == artifact.sha256


def test_cancelled_stays_cancelled_until_it_is_resumed(client: MangaClient, service: Service) -> None:
    for number in range(3):  # of its own, so that it is not over before it is cancelled
        write(service.storage / "incoming" / "other" / f"{number}.png", page(100 + number, 120, 160))
    job_id = client.create(_TITLE, _VOLUME, "folder", "other")
    cancelled = client.cancel(job_id)
    assert (cancelled["status"], cancelled["message"], cancelled["lastError"]) == ("FAILED", *["Cancelled by user"] * 2)
    assert client.http.get(f"/jobs/{job_id}/artifact").status_code == 409
    assert client.resume(job_id)["retries"] == 1
    states = list(client.watch(job_id))
    assert states[-1]["status"] == "SUCCESS"
    assert client.resume(job_id) == states[-1]


def test_what_is_unknown_or_forbidden_is_refused(client: MangaClient, service: Service) -> None:
    unknown = client.http.get("/jobs/nobody")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Job not found"})
    assert client.close_code("nobody") == 4404
    outside = {"title": "a", "volume": "b", "input": {"type": "folder", "path": "../../etc"}}
    assert 400 <= client.http.post("/jobs", json=outside).status_code < 500
    wrong = {**outside, "params": {"scale": 9}}
    assert client.http.post("/jobs", json=wrong).status_code == 422
    with MangaClient(service.url, "not the token") as stranger:
        assert stranger.http.get("/models").status_code == 401
    assert httpx.post(f"{service.url}/jobs", json=outside).status_code == 401


def test_the_service_introduces_itself(client: MangaClient) -> None:
    names = {model["name"]: model for model in client.models()}
    assert {"RealESRGAN_x4plus_anime_6B", "realesr-animevideov3"} <= set(names)
    keys = {"name", "scale", "recommended_scale", "weights", "download_url"}
    assert all(set(model) == keys for model in names.values())
    health = client.health()
    assert health["status"] == "healthy"
    assert health["default_model"] in names
