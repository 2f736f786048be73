"""What the settings, models and jobs pages ask for: the server, weights in the background, artifacts proven."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_workers import page_file
from job_making import folder_of, until
from loopback import serving
from memory_jobs import MemoryJobs
from pulling import NO_NET, SlowFetch
from test_live_socket import heard
from test_v1_jobs import submitted
from websockets.sync.client import connect

from conftest import Service
from enlarger.jobs import Pulls
from enlarger.server import create_app

MODEL = "waifu2x-cunet"


def test_the_server_says_where_it_keeps_what(service: Service, tmp_path: Path) -> None:
    data = page_file(tmp_path, "a.png", 81, 81).read_bytes()
    service.http.delete("/v1/reader/results").raise_for_status()  # of books that earlier tests left a moment ago
    service.http.post("/v1/upscale", params={"tile": 32}, content=data).raise_for_status()
    until(lambda: models_open(service) and server_of(service)["inUse"] == models_open(service), "told otherwise")
    server = server_of(service)
    assert server["languages"] == ["en", "zh"]
    assert server["storageDir"] == str(service.room.jobs.storage.root)
    assert server["allowedDirs"] == []
    assert server["offline"] is True
    assert isinstance(server["calibrations"], list)
    cache = service.http.get("/v1/cache").json()
    assert (cache["readerCount"], cache["readerSize"]) == (0, 0)
    assert cache["maxSize"] == service.room.jobs.settings.cache_max_bytes


def server_of(service: Service) -> dict[str, Any]:
    server: dict[str, Any] = service.http.get("/v1/server").json()
    return server


def models_open(service: Service) -> list[dict[str, Any]]:
    """Each once; a worker says what it has open a moment after its last page."""
    everything = [model for worker in service.http.get("/v1/devices").json()["workers"] for model in worker["models"]]
    return [model for n, model in enumerate(everything) if model not in everything[:n]]


# ---- artifacts ----


def test_an_artifact_is_proven(service: Service) -> None:
    folder = folder_of(service.folder("proven"), 82, 83)
    job = submitted(service, folder, packs=True)
    done = service.room.finished(job["id"])
    found = service.http.post(f"/v1/jobs/{job['id']}/verify").json()
    assert found["ok"] is True
    assert (len(found["matched"]), found["problems"], found["sourceCompared"]) == (2, [], True)
    (folder / "02.png").write_bytes((folder / "01.png").read_bytes())
    changed = service.http.post(f"/v1/jobs/{job['id']}/verify").json()
    assert (changed["ok"], changed["mismatched"]) == (False, ["02.png"])
    assert changed["problems"]
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    alone = service.http.post(f"/v1/jobs/{job['id']}/verify").json()
    assert (alone["ok"], alone["sourceCompared"]) == (True, False)
    path = service.room.jobs.artifact_path(done)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("stranger.png", b"x")
    assert service.http.post(f"/v1/jobs/{job['id']}/verify").json()["extra"] == ["stranger.png"]
    path.unlink()
    gone = service.http.post(f"/v1/jobs/{job['id']}/verify")
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")


def test_what_has_no_artifact_cannot_be_proven(service: Service) -> None:
    job = submitted(service, folder_of(service.folder("unpacked"), 84), packs=False)
    service.room.finished(job["id"])
    answer = service.http.post(f"/v1/jobs/{job['id']}/verify")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert service.http.post("/v1/jobs/none/verify").status_code == 404


# ---- weights in the background ----


@pytest.fixture
def slowly() -> SlowFetch:
    return SlowFetch(held=True)


@pytest.fixture
def pulling_url(memory: Callable[..., MemoryJobs], slowly: SlowFetch) -> Iterator[str]:
    jobs = memory()
    jobs.pulls = Pulls(jobs.settings, jobs.catalog, fetch=slowly)
    with serving(create_app(jobs.settings, jobs)) as url:  # type: ignore[arg-type]
        yield url
    jobs.pulls.close()


def pull_of(url: str) -> dict[str, object] | None:
    pull: dict[str, object] | None = httpx.get(f"{url}/v1/models/{MODEL}").json()["pull"]
    return pull


def test_weights_come_in_the_background_and_the_socket_tells(pulling_url: str, slowly: SlowFetch) -> None:
    assert pull_of(pulling_url) is None
    with connect(f"{pulling_url.replace('http', 'ws')}/v1/live") as socket:
        assert json.loads(socket.recv(30))["type"] == "hello"
        begun = httpx.post(f"{pulling_url}/v1/models/cunet/pulls")
        assert (begun.status_code, begun.json()["state"], begun.json()["model"]) == (202, "running", MODEL)
        slowly.gate.set()
        done = heard(socket, lambda told: told["type"] == "pull" and told["state"] != "running")[-1]
    assert (done["model"], done["state"], done["error"]) == (MODEL, "done", None)
    pull = pull_of(pulling_url)
    assert pull is not None
    assert pull["state"] == "done"
    models = httpx.get(f"{pulling_url}/v1/models").json()["models"]
    assert [model["name"] for model in models if model["pull"]] == [MODEL]


def test_a_pull_is_cancelled(pulling_url: str, slowly: SlowFetch) -> None:
    httpx.post(f"{pulling_url}/v1/models/{MODEL}/pulls").raise_for_status()
    assert httpx.delete(f"{pulling_url}/v1/models/{MODEL}/pulls").status_code == 204
    until(lambda: (pull_of(pulling_url) or {}).get("state") == "cancelled")
    until(lambda: slowly.cancelled == slowly.begun)
    assert httpx.delete(f"{pulling_url}/v1/models/realesrgan-x4plus-anime/pulls").status_code == 204


def test_a_pull_that_fails_says_why(pulling_url: str, slowly: SlowFetch) -> None:
    slowly.fails = NO_NET
    slowly.gate.set()
    httpx.post(f"{pulling_url}/v1/models/{MODEL}/pulls").raise_for_status()
    until(lambda: (pull_of(pulling_url) or {}).get("state") == "failed")
    pull = pull_of(pulling_url)
    assert pull is not None
    assert pull["error"] == {"code": "fetch_failed", "message": "The net is down.", "remedy": "Try again."}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_unknown_models_are_not_pulled(pulling_url: str, method: str) -> None:
    answer = httpx.request(method, f"{pulling_url}/v1/models/none-such/pulls")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
