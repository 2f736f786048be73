"""Long answers are made in a thread, and an upload that is refused leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from job_making import folder_of
from test_v1_jobs import finished, submitted

from conftest import Service
from enlarger.server.v1 import job_routes, page_routes


def test_long_lists_take_nothing_of_the_event_loops_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    job = finished(service, submitted(service, folder_of(service.folder("long"), 30)))
    made: list[str] = []

    def in_a_thread(name: str, make: Any) -> Any:
        def checked(*args: Any) -> Any:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            made.append(name)
            return make(*args)

        return checked

    for module, name in ((job_routes, "json_of"), (page_routes, "json_of"), (page_routes, "JSONResponse")):
        monkeypatch.setattr(module, name, in_a_thread(name, getattr(module, name)))
    for path in ("/v1/jobs?limit=1", f"/v1/jobs/{job['id']}/pages?limit=1000", f"/v1/jobs/{job['id']}/report"):
        answer = service.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json()
    assert made == ["json_of", "json_of", "JSONResponse"]


@pytest.mark.parametrize("body", [b"x", b"--a\r\n\r\n", b""])
def test_a_form_that_is_refused_leaves_nothing(service: Service, body: bytes) -> None:
    staging = service.room.jobs.storage.staging
    before = set(staging.iterdir())
    answer = service.http.post("/v1/jobs", content=body, headers={"Content-Type": "multipart/form-data; boundary=a"})
    assert answer.status_code == 400
    assert set(staging.iterdir()) == before
