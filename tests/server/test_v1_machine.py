"""The machine through /v1: models and their weights, devices in use, the cache, health, and the documentation."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from anyio import run
from asking import asked
from fake_workers import page_file
from httpx_sse import connect_sse
from job_making import until
from loopback import serving
from memory_jobs import MemoryJobs
from pulling import NO_NET, SlowFetch
from starlette.applications import Starlette

from conftest import Service
from enlarger.errors import DiskFullError, EnlargerError, QueueFullError
from enlarger.jobs import Pulls
from enlarger.messages import msg
from enlarger.reader import Reader, ReaderStore, Shelf
from enlarger.server import create_app
from enlarger.server.access import Access
from enlarger.server.health import hindrances
from enlarger.server.languages import language_of
from enlarger.server.live import LiveHub
from enlarger.server.v1 import build


def test_models_are_listed_and_found_by_any_name(service: Service) -> None:
    models = service.http.get("/v1/models").json()["models"]
    assert [model["name"] for model in models if model["isDefault"]] == ["waifu2x-cunet"]
    one = service.http.get("/v1/models/MODEL_WAIFU2X_CUNET_UP2X").json()
    assert one in models
    assert (one["scales"], one["networksHere"] <= one["networks"]) == ([1, 2], True)
    assert set(one["title"]) == {"en", "zh"}
    unknown = service.http.get("/v1/models/cunt")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert "cunet" in unknown.json()["remedy"]


def test_devices_are_those_in_use(service: Service, tmp_path: Path) -> None:
    data = page_file(tmp_path, "a.png", 77, 77).read_bytes()
    assert service.http.post("/v1/upscale", params={"tile": 32}, content=data).status_code == 200
    worker = until(lambda: [each for each in _workers(service) if each["models"]])[0]
    assert worker["models"][0]["runtime"] == "fake"
    assert worker["state"] in ("idle", "busy")
    assert worker["pid"] > 0


def _workers(service: Service) -> list[dict[str, Any]]:
    workers: list[dict[str, Any]] = service.http.get("/v1/devices").json()["workers"]
    return workers


def test_the_cache_is_counted_and_cleaned(service: Service, tmp_path: Path) -> None:
    data = page_file(tmp_path, "a.png", 78, 78).read_bytes()
    service.http.post("/v1/upscale", params={"tile": 32}, content=data)
    held = service.http.get("/v1/cache").json()
    assert held["totalFiles"] > 0
    assert held["totalSize"] > 0
    assert service.http.delete("/v1/cache").json()["removedFiles"] == 0  # nothing is a month old
    cleaned = service.http.delete("/v1/cache", params={"olderThanDays": 0}).json()
    assert cleaned == {"removedFiles": held["totalFiles"], "freedSize": held["totalSize"]}
    assert service.http.delete("/v1/cache", params={"olderThanDays": -1}).status_code == 422


def test_the_server_says_what_it_allows(service: Service) -> None:
    server = service.http.get("/v1/server").json()
    assert server["defaultModel"] == "waifu2x-cunet"
    assert server["tokenNeeded"] is False
    assert server["maxUploadBytes"] == service.room.jobs.settings.max_upload_bytes


def test_it_is_ready_when_a_worker_is(service: Service) -> None:
    assert until(lambda: service.http.get("/readyz").status_code == 200)
    assert service.http.get("/readyz").json() == {"status": "ready"}


def test_why_it_is_not_ready_is_told(memory: Callable[..., MemoryJobs], monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = memory(min_free_bytes=1 << 62)
    assert [error.code for error in hindrances(jobs)] == ["disk_full", "unavailable"]
    app = create_app(jobs.settings, jobs)

    async def look() -> httpx.Response:
        async with asked(app) as http:
            return await http.get("/readyz", headers={"Accept-Language": "zh"})

    answer = run(look)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["disk_full", "unavailable"]


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(QueueFullError(msg("Too much waits.")), 429), (DiskFullError(msg("The disk is full.")), 503)],
)
def test_a_server_that_takes_no_more_says_when_to_come_again(
    memory: Callable[..., MemoryJobs], tmp_path: Path, refusal: EnlargerError, status: int
) -> None:
    jobs = memory()
    jobs.refuses = refusal
    data = page_file(jobs.storage.incoming / "v").read_bytes()
    app = create_app(jobs.settings, jobs)

    async def ask() -> list[httpx.Response]:
        async with asked(app) as http:
            return [
                await http.post("/v1/jobs", json={"path": "v"}),
                await http.post("/v1/jobs", files={"files": ("a.png", data)}),
                await http.post("/v1/upscale", content=data),
            ]

    for answer in run(ask):
        assert (answer.status_code, answer.json()["code"]) == (status, refusal.code)
        assert int(answer.headers["retry-after"]) > 0
    assert list(jobs.storage.staging.iterdir()) == []


def test_the_documentation_asks_no_other_host(service: Service) -> None:
    page = service.http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 5
    for link in links:
        assert link.startswith("/docs/")
        assert service.http.get(link).status_code == 200
    assert "<script>" not in page.text  # the content security policy allows none in the page
    start = service.http.get("/docs/start.js").text
    assert "http" not in start
    for schema in re.findall(r"{root}(/openapi[^`]*)`", start):
        assert service.http.get(schema).json()["paths"]


def test_the_documentation_knows_its_prefix(memory: Callable[..., MemoryJobs]) -> None:
    jobs = memory()
    with serving(create_app(jobs.settings, jobs), "/enlarger") as url:
        assert 'src="/enlarger/docs/start.js"' in httpx.get(f"{url}/docs").text
        assert httpx.get(f"{url}/openapi.json").json()["servers"] == [{"url": "/enlarger"}]
        assert httpx.get(f"{url}/v1/jobs").status_code == 200
        assert httpx.get(f"{url}/api/models").status_code == 200
        assert httpx.get(f"{url}/", headers={"Accept": "text/html"}).headers["location"] == "/enlarger/ui/"


def test_paths_that_nobody_answers(service: Service) -> None:
    for path in ("/nowhere", "/v1/nowhere", "/v1", "/api/v1/tasks", "/docs/files/../../x", "/a%0Ab"):
        answer = service.http.get(path)
        assert answer.status_code == 404, path
    assert service.http.put("/v1/jobs").status_code == 405


# ---- weights ----


@pytest.fixture
def fetching() -> SlowFetch:
    return SlowFetch()


@pytest.fixture
def puller(memory: Callable[..., MemoryJobs], fetching: SlowFetch) -> Iterator[str]:
    jobs = memory()
    jobs.pulls = Pulls(jobs.settings, jobs.catalog, fetch=fetching)
    store = ReaderStore.of(jobs.settings)
    shelf = Shelf(jobs.settings, store)
    reader = Reader(jobs, shelf, store, jobs.settings)  # type: ignore[arg-type]
    api = build(jobs, LiveHub(jobs), Access.of(jobs.settings), shelf, reader)  # type: ignore[arg-type]
    app = Starlette()
    app.router.default = api
    with serving(app) as url:
        yield f"{url}/v1/models/cunet/pull"


def test_weights_are_pulled(puller: str, fetching: SlowFetch) -> None:
    answer = httpx.post(puller)
    assert (answer.status_code, answer.json()["name"]) == (200, "waifu2x-cunet")
    assert fetching.done == ["waifu2x-cunet"]
    fetching.fails = NO_NET
    answer = httpx.post(puller)
    assert (answer.status_code, answer.json()["code"]) == (502, "fetch_failed")
    assert httpx.post(puller.replace("cunet", "nothing")).status_code == 404


def test_pulling_is_told_as_it_goes(puller: str, fetching: SlowFetch) -> None:
    assert [event for event, _ in _told(puller)][-1] == "done"
    assert _told(puller)[-1][1]["name"] == "waifu2x-cunet"
    fetching.fails = NO_NET
    assert _told(puller)[-1][0] == "error"
    assert _told(puller)[-1][1]["code"] == "fetch_failed"


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_nobody_waits_and_the_download_stops(puller: str, fetching: SlowFetch, accept: str) -> None:
    fetching.gate.clear()
    address = urlsplit(puller)
    with socket.create_connection((address.hostname, address.port or 80)) as connection:
        connection.sendall(f"POST {address.path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        until(lambda: fetching.begun, "it never began")
    until(lambda: fetching.cancelled, "it goes on for nobody")
    assert not fetching.done


def _told(url: str) -> list[tuple[str, dict[str, Any]]]:
    with httpx.Client() as http, connect_sse(http, "POST", url) as source:
        return [(event.event, json.loads(event.data)) for event in source.iter_sse()]


# ---- languages ----


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB, zh;q=0.5", "en"),
        ("fr, zh;q=0.1", "zh"),
        ("zh;q=0, en;q=0.2", "en"),
        ("zh;q=high, en", "en"),
        ("ZH_tw", "en"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_the_one_ranked_first(monkeypatch: pytest.MonkeyPatch, header: str, language: str) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    assert language_of({"type": "http", "headers": [(b"accept-language", header.encode())]}) == language
