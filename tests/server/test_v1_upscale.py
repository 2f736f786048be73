"""POST /v1/upscale: a picture in, a picture out, or why not; nobody waits, nothing is computed."""

from __future__ import annotations

import hashlib
import io
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fake_workers import page_file
from job_making import until
from PIL import Image

from conftest import Service
from enlarger.jobs import JobState

FAST = {"tile": 32, "format": "png"}


def page(folder: Path, width: int = 30, seed: int = 0) -> bytes:
    return page_file(folder, f"{width}.png", seed, width, max(30, width)).read_bytes()


def transients(service: Service) -> list[JobState]:
    return [job.state for job in service.room.jobs.find(transient=True, limit=500)[0] if job.submission.transient]


@pytest.mark.parametrize("way", ["raw", "form"])
def test_a_picture_comes_back_larger(service: Service, tmp_path: Path, way: str) -> None:
    data = page(tmp_path, 47 if way == "raw" else 48)
    sent = {"content": data} if way == "raw" else {"files": {"file": ("頁.png", data)}, "data": {"scale": "3"}}
    answer = service.http.post("/v1/upscale", params={**FAST, "scale": 2}, **sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.width == (94 if way == "raw" else 144)  # the form's scale wins
        assert answer.headers["x-enlarger-size"] == f"{picture.width}x{picture.height}"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["x-enlarger-runtime"].startswith("fake ")
    assert answer.headers["x-enlarger-cache"] == "miss"
    assert "WAIFU2X_CUNET" in answer.headers["x-enlarger-model"]
    again = service.http.post("/v1/upscale", params={**FAST, "scale": 2}, **sent)
    assert (again.content, again.headers["x-enlarger-cache"]) == (answer.content, "hit")
    until(lambda: transients(service) == [], "the job was not forgotten")


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ({}, b"", 400, "bad_request"),
        ({}, b"no picture", 422, "bad_picture"),
        ({"scale": "a lot"}, b"x", 422, "invalid"),
        ({"zoom": "2"}, b"x", 422, "invalid"),
        ({"model": "cunt"}, b"x", 422, "unknown_model"),
        ({"noise": "9"}, b"x", 422, "bad_recipe"),
        ({"scale": "2", "width": "100"}, b"x", 422, "bad_recipe"),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    service: Service, query: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = service.http.post("/v1/upscale", params=query, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    until(lambda: transients(service) == [], "something was kept")
    assert list(service.room.jobs.storage.staging.glob("*/in")) == []


def test_a_form_needs_exactly_one_picture(service: Service, tmp_path: Path) -> None:
    data = page(tmp_path)
    for files in ([("file", ("1.png", data)), ("file", ("2.png", data))], [("other", (None, b"x"))]):
        answer = service.http.post("/v1/upscale", files=files)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_client_that_goes_away_cancels_the_work(service: Service, tmp_path: Path) -> None:
    data = page(tmp_path, 111)
    with _connected(service) as connection:
        head = f"POST /v1/upscale?tile=32 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        until(lambda: service.room.begun(111), "the page never began")
        assert JobState.RUNNING in transients(service)
    until(lambda: JobState.RUNNING not in transients(service), "it goes on for nobody")
    until(lambda: all(not state.tasks for state in service.room.jobs.states()), "the worker still has it")


def test_a_picture_is_computed_before_a_volume_that_runs(service: Service, tmp_path: Path) -> None:
    folder = service.folder("slow")
    page_file(folder, "1.png", 1, 121, 121)
    volume = service.http.post("/v1/jobs", json={"path": "slow", "tile": 32}).json()
    service.room.at_gate(volume["id"], 121)
    answer = service.http.post("/v1/upscale", params=FAST, content=page(tmp_path, 52))
    assert answer.status_code == 200
    assert service.room.jobs.get(volume["id"]).state is JobState.RUNNING
    service.room.open(121)
    service.room.finished(volume["id"])


def test_a_body_that_ends_early_leaves_nothing(service: Service) -> None:
    with _connected(service) as connection:
        connection.sendall(b"POST /v1/upscale HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc")
        until(lambda: list(service.room.jobs.storage.staging.glob("*/in")), "it never came")
    until(lambda: list(service.room.jobs.storage.staging.glob("*/in")) == [], "it was kept")


def test_options_may_be_json_numbers_in_forms_of_text(service: Service, tmp_path: Path) -> None:
    fields = {"tta": "false", "quality": "80", "format": "jpg", "tile": "32", "noise": "none", "priority": "reading"}
    answer = service.http.post("/v1/upscale", files={"file": ("a.png", page(tmp_path, 53))}, data=fields)
    assert answer.status_code == 200, json.loads(answer.text)
    assert answer.headers["content-type"] == "image/jpeg"


def _connected(service: Service) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port or 80))
