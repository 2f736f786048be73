"""The manga contract's HTTP calls: what goes in, what comes out, what is refused and how."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from loopback import serving
from memory_jobs import MemoryJobs

from enlarger.errors import QueueFullError
from enlarger.jobs import Counts, Failure, JobSource, JobState
from enlarger.messages import msg
from enlarger.server import create_app, manga

FACADE = manga
ARTIFACT = b"PK and so on"
SHA256 = hashlib.sha256(ARTIFACT).hexdigest()
DEFAULTS = {
    "scale": 2,
    "model": "RealESRGAN_x4plus_anime_6B",
    "denoise": "medium",
    "outputFormat": "jpg",
    "jpegQuality": 95,
    "tileSize": None,
    "tilePad": None,
    "batchSize": None,
    "device": "auto",
}


def body(path: str = "vol1", **changes: Any) -> dict[str, Any]:
    return {"title": "Rei", "volume": "Vol 1", "input": {"type": "folder", "path": path}, **changes}


def submit(client: httpx.Client, **changes: Any) -> str:
    answer = client.post("/jobs", json=body(**changes))
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["jobId"]
    return job_id


# ---- submitting ----


def test_a_submitted_job_is_answered_with_its_id_and_stands_as_the_contract_says(client: httpx.Client) -> None:
    job_id = submit(client)
    assert UUID(job_id).version == 4
    assert client.get(f"/jobs/{job_id}").json() == {
        "jobId": job_id,
        "status": "PENDING",
        "processed": 0,
        "total": 0,
        "artifactPath": None,
        "message": None,
        "retries": 0,
        "lastError": None,
        "artifactHash": None,
        "params": DEFAULTS,
        "metadata": {"title": "Rei", "volume": "Vol 1"},
    }


def test_snake_case_is_taken_and_camel_case_given(client: httpx.Client) -> None:
    sent = {"output_format": "png", "jpeg_quality": 80, "tile_size": 64, "tile_pad": 8, "batch_size": 2}
    job_id = submit(client, params=sent)
    given = client.get(f"/jobs/{job_id}").json()["params"]
    assert given == {**DEFAULTS, "outputFormat": "png", "jpegQuality": 80, "tileSize": 64, "tilePad": 8, "batchSize": 2}


def test_the_job_is_what_was_asked_for(client: httpx.Client, jobs: MemoryJobs) -> None:
    (jobs.storage.incoming / "book.zip").write_bytes(b"")
    params = {"model": "realesr-AnimeVideoV3", "scale": 3, "outputFormat": "webp", "jpegQuality": 70, "device": "cpu"}
    job_id = submit(client, input={"type": "zip", "path": "book.zip"}, params=params)
    submission = jobs.get(job_id).submission
    assert submission.source == JobSource("archive", jobs.storage.incoming / "book.zip")
    recipe = submission.recipe
    assert (recipe.model, recipe.scale, recipe.format, recipe.quality) == ("realesr-animevideov3", 3.0, "webp", 70)
    assert (submission.device, submission.packs, submission.transient) == ("cpu", True, False)


def test_the_storage_root_is_looked_into_before_incoming(client: httpx.Client, jobs: MemoryJobs) -> None:
    for folder in (jobs.storage.root / "both", jobs.storage.incoming / "both", jobs.storage.incoming / "one"):
        folder.mkdir()
    paths = [jobs.get(submit(client, path=path)).submission.source.path for path in ("both", "one", "incoming/one")]
    assert paths == [jobs.storage.root / "both", jobs.storage.incoming / "one", jobs.storage.incoming / "one"]


@pytest.mark.parametrize("path", ["../outside", "/etc", "vol/../../..", ".", "link", "a\0b", "C:/x/../.."])
def test_a_path_that_leads_out_is_refused(path: str, client: httpx.Client, jobs: MemoryJobs, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (jobs.storage.incoming / "link").symlink_to(tmp_path / "outside")
    answer = client.post("/jobs", json=body(path))
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)
    assert jobs.totals() == {}


def test_a_source_that_is_not_there_yet_is_taken(client: httpx.Client) -> None:
    """As the original did: its client shows a failed job's message, but of a refusal only the status."""
    assert client.get(f"/jobs/{submit(client, path='coming')}").json()["status"] == "PENDING"


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        (["title"], {"title": ""}),
        (["volume"], {"volume": ""}),
        (["input", "path"], {"input": {"path": ""}}),
        (["input", "type"], {"input": {"path": "x", "type": "rar"}}),
        (["params", "scale"], {"params": {"scale": 0}}),
        (["params", "scale"], {"params": {"scale": 5}}),
        (["params", "denoise"], {"params": {"denoise": "most"}}),
        (["params", "outputFormat"], {"params": {"outputFormat": "gif"}}),
        (["params", "jpegQuality"], {"params": {"jpegQuality": 0}}),
        (["params", "jpegQuality"], {"params": {"jpegQuality": 101}}),
        (["params", "tileSize"], {"params": {"tileSize": 31}}),
        (["params", "tileSize"], {"params": {"tileSize": 1025}}),
        (["params", "tilePad"], {"params": {"tilePad": -1}}),
        (["params", "tilePad"], {"params": {"tilePad": 129}}),
        (["params", "batchSize"], {"params": {"batchSize": 0}}),
        (["params", "batchSize"], {"params": {"batchSize": 17}}),
        (["params", "device"], {"params": {"device": "tpu"}}),
        (["params", "model"], {"params": {"model": "no such model"}}),
        (["title"], {"title": "\ud800"}),
    ],
)
def test_what_is_out_of_bounds_is_refused_as_fastapi_does(
    where: list[str], changes: dict[str, Any], client: httpx.Client
) -> None:
    import json

    answer = client.post(
        "/jobs", content=json.dumps(body(**changes)), headers={"Content-Type": "application/json"}
    )  # httpx itself would not send half a surrogate pair
    assert answer.status_code == 422
    (found,) = answer.json()["detail"]
    assert found["loc"] == ["body", *where]
    assert set(found) == {"type", "loc", "msg"}  # never what was sent: it may be large, or a secret


@pytest.mark.parametrize("scale", ["NaN", "1e999"])
def test_numbers_that_json_does_not_know_are_refused(scale: str, client: httpx.Client) -> None:
    text = f'{{"title": "a", "volume": "b", "input": {{"path": "c"}}, "params": {{"scale": {scale}}}}}'
    assert client.post("/jobs", content=text, headers={"Content-Type": "application/json"}).status_code == 422


def test_a_full_queue_says_when_to_come_again(client: httpx.Client, jobs: MemoryJobs) -> None:
    jobs.refuses = QueueFullError(msg("Too many jobs wait."))
    answer = client.post("/jobs", json=body())
    assert (answer.status_code, answer.json()) == (429, {"detail": "Too many jobs wait."})
    assert int(answer.headers["Retry-After"]) > 0


# ---- one job ----


def test_a_wrong_method_is_told_the_right_ones(client: httpx.Client) -> None:
    answer = client.put(f"/jobs/{submit(client)}")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["Allow"] == "DELETE, GET"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/resume"), ("POST", "/cancel"), ("GET", "/artifact"), ("GET", "/report")],
)
def test_an_unknown_job_is_not_found(method: str, path: str, client: httpx.Client) -> None:
    answer = client.request(method, f"/jobs/nobody{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Job not found"})


def test_a_cancelled_job_shows_as_failed_by_the_user(client: httpx.Client) -> None:
    job_id = submit(client)
    state = client.post(f"/jobs/{job_id}/cancel").json()
    assert (state["status"], state["message"], state["lastError"]) == ("FAILED", *["Cancelled by user"] * 2)
    assert client.post(f"/jobs/{job_id}/cancel").json() == state


def test_cancelling_a_complete_job_leaves_it_complete(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    jobs.pack(job_id, ARTIFACT, SHA256)
    assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "SUCCESS"


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.PACKING, JobState.DONE])
def test_resuming_what_runs_or_is_complete_changes_nothing(
    state: JobState, client: httpx.Client, jobs: MemoryJobs
) -> None:
    job_id = submit(client)
    jobs.move(job_id, state, state.value)
    before = client.get(f"/jobs/{job_id}").json()
    assert client.post(f"/jobs/{job_id}/resume", json={"inputPath": "other"}).json() == before
    assert jobs.get(job_id).state is state


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.PARTIAL])
def test_resuming_what_is_not_complete_sends_it_back_to_work(
    state: JobState, client: httpx.Client, jobs: MemoryJobs
) -> None:
    job_id = submit(client)
    jobs.move(job_id, state, state.value)
    answer = client.post(f"/jobs/{job_id}/resume").json()
    assert (answer["status"], answer["retries"], answer["message"]) == ("PENDING", 1, None)


@pytest.mark.parametrize("key", ["inputPath", "input_path"])
def test_a_job_may_be_resumed_from_another_source(key: str, client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    jobs.fail(job_id, Failure("bad_book", msg("nothing there")))
    answer = client.post(f"/jobs/{job_id}/resume", json={key: "incoming/other.zip", "inputType": "zip"})
    assert answer.status_code == 200
    assert jobs.get(job_id).submission.source == JobSource("archive", jobs.storage.incoming / "other.zip")


@pytest.mark.parametrize(
    ("sent", "status"), [({"inputPath": "../../etc"}, 400), ({"inputType": "rar"}, 422), ({"inputPath": ""}, 422)]
)
def test_a_source_to_resume_from_is_checked_too(
    sent: dict[str, str], status: int, client: httpx.Client, jobs: MemoryJobs
) -> None:
    job_id = submit(client)
    jobs.fail(job_id, Failure("bad_book", msg("nothing there")))
    assert client.post(f"/jobs/{job_id}/resume", json=sent).status_code == status


def test_a_paused_job_waits_says_why_and_can_be_resumed(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    jobs.move(job_id, JobState.PAUSED, "paused", reason=Failure("disk_full", msg("The disk is full.")))
    state = client.get(f"/jobs/{job_id}").json()
    assert (state["status"], state["message"], state["lastError"]) == ("PENDING", *["The disk is full."] * 2)
    assert client.post(f"/jobs/{job_id}/resume").json()["message"] is None
    assert jobs.get(job_id).state is JobState.QUEUED


def test_a_waiting_jobs_source_stays(client: httpx.Client) -> None:
    job_id = submit(client)
    assert client.post(f"/jobs/{job_id}/resume").json()["status"] == "PENDING"
    assert client.post(f"/jobs/{job_id}/resume", json={"inputPath": "other"}).status_code == 409


# ---- the artifact ----


def test_the_artifact_is_given_with_its_digest_and_only_once(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    unfinished = client.get(f"/jobs/{job_id}/artifact")
    assert (unfinished.status_code, unfinished.json()) == (409, {"detail": "Job not finished yet"})
    jobs.pack(job_id, ARTIFACT, SHA256, counts=Counts(3, 3))
    state = client.get(f"/jobs/{job_id}").json()
    assert (state["status"], state["processed"], state["total"]) == ("SUCCESS", 3, 3)
    assert (state["artifactPath"], state["artifactHash"]) == (f"artifacts/rei-vol-1-{job_id}.zip", SHA256)
    answer = client.get(f"/jobs/{job_id}/artifact")
    assert (answer.content, answer.headers["ETag"]) == (ARTIFACT, SHA256)
    assert answer.headers["Content-Type"] == "application/zip"
    for tag in (SHA256, f'"{SHA256}"'):
        known = client.get(f"/jobs/{job_id}/artifact", headers={"If-None-Match": tag})
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", SHA256)
    assert client.get(f"/jobs/{job_id}/artifact", headers={"If-None-Match": "other"}).status_code == 200


def test_an_artifact_that_somebody_removed_is_gone(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    jobs.artifact_path(jobs.pack(job_id, ARTIFACT, SHA256)).unlink()
    assert client.get(f"/jobs/{job_id}/artifact").status_code == 410


def test_a_job_with_failed_pages_is_a_success_that_counts_them(client: httpx.Client, jobs: MemoryJobs) -> None:
    """The client watches until SUCCESS or FAILED, and here there is an artifact to fetch."""
    job_id = submit(client)
    jobs.pack(job_id, ARTIFACT, SHA256, state=JobState.PARTIAL, counts=Counts(10, 8, 2))
    state = client.get(f"/jobs/{job_id}").json()
    assert (state["status"], state["processed"], state["total"]) == ("SUCCESS", 10, 10)
    assert state["message"].startswith("2 of 10 pages failed")
    assert client.get(f"/jobs/{job_id}/artifact").content == ARTIFACT


def test_the_report_has_the_contracts_keys(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    jobs.fail(job_id, Failure("bad_book", msg("No pages."), msg("Put some in.")))
    assert client.get(f"/jobs/{job_id}/report").json() == {
        "jobId": job_id,
        "status": "FAILED",
        "artifactPath": None,
        "artifactHash": None,
        "retries": 0,
        "lastError": "No pages. Put some in.",
        "message": "No pages. Put some in.",
    }


# ---- what the original lacked ----


def test_jobs_are_listed_newest_first_page_by_page(client: httpx.Client) -> None:
    made = [submit(client, title=f"t{number}") for number in range(5)]
    client.post(f"/jobs/{made[2]}/cancel")
    first = client.get("/jobs", params={"limit": 3}).json()
    rest = client.get("/jobs", params={"limit": 3, "before": first["next"]}).json()
    assert [job["jobId"] for job in first["jobs"] + rest["jobs"]] == made[::-1]
    assert rest["next"] is None
    failed = client.get("/jobs", params={"status": "FAILED"}).json()["jobs"]
    assert failed == [client.get(f"/jobs/{made[2]}").json()]


def test_a_job_can_be_deleted_once_it_has_stopped(client: httpx.Client, jobs: MemoryJobs) -> None:
    job_id = submit(client)
    assert client.delete(f"/jobs/{job_id}").status_code == 409
    path = jobs.artifact_path(jobs.pack(job_id, ARTIFACT, SHA256))
    assert client.delete(f"/jobs/{job_id}").status_code == 204
    assert client.get(f"/jobs/{job_id}").status_code == 404
    assert not path.exists()


# ---- around the jobs ----


def test_the_models_of_the_original_are_listed_first_by_their_names(client: httpx.Client) -> None:
    models = client.get("/models").json()["models"]
    assert models[0] == {
        "name": "RealESRGAN_x4plus_anime_6B",
        "scale": 4,
        "recommended_scale": 2.0,
        "weights": "RealESRGAN_x4plus_anime_6B.pth",
        "download_url": "https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.2.4/RealESRGAN_x4plus_anime_6B.pth",
    }
    video = next(model for model in models if model["name"] == "realesr-animevideov3")
    assert (video["scale"], video["weights"]) == (4, "realesr-animevideov3.pth")


def test_every_listed_model_can_be_asked_for(client: httpx.Client) -> None:
    for model in client.get("/models").json()["models"]:
        submit(client, params={"model": model["name"].upper()})


def test_health_has_the_keys_of_both_originals(client: httpx.Client, jobs: MemoryJobs) -> None:
    jobs.move(submit(client), JobState.RUNNING, "running")
    submit(client)
    health = client.get("/health").json()
    assert (health["status"], health["active_jobs"], health["registered_jobs"]) == ("healthy", 1, 2)
    assert (health["default_model"], health["max_concurrency"]) == ("RealESRGAN_x4plus_anime_6B", 1)
    assert Path(health["storage_root"]) == jobs.storage.root
    assert set(health["model_status"]) == {"initialized", "cuda_available", "device"}
    assert {"timestamp", "active_tasks"} <= set(health)


@pytest.mark.parametrize("root_path", ["", "/prefix"])
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_service_may_lie_below_a_prefix(root_path: str, prefix: str, jobs: MemoryJobs) -> None:
    """Its own `/api`, and one that a proxy in front takes off."""
    app = create_app(jobs.settings, cast("Any", jobs))
    with serving(app, root_path) as url, httpx.Client(base_url=url.removesuffix(root_path) + prefix) as client:
        job_id = submit(client)
        assert client.get(f"/jobs/{job_id}").json()["jobId"] == job_id
        assert client.get("/models").status_code == client.get("/health").status_code == 200


def test_messages_are_in_the_language_asked_for_but_the_contracts_words_stay(
    client: httpx.Client, jobs: MemoryJobs
) -> None:
    job_id = submit(client, params={"device": "cuda"})
    english = client.get(f"/jobs/{job_id}").json()["message"]
    assert "CUDA" in english
    client.post(f"/jobs/{job_id}/cancel")
    chinese = client.get(f"/jobs/{job_id}", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json()
    assert chinese["message"] == "Cancelled by user"
