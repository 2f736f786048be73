"""Events over SSE and WebSocket: numbered without gaps, from any number on, up to the one that ends the job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fake_workers import page_file
from httpx_sse import connect_sse
from job_making import folder_of
from test_v1_jobs import submitted
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conftest import Service
from enlarger.server.v1.views import in_camel_case


def heard(service: Service, job_id: str, **headers: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with connect_sse(service.http, "GET", f"/v1/jobs/{job_id}/events", headers=headers) as source:
        assert source.response.status_code == 200
        for event in source.iter_sse():
            yield event.id, json.loads(event.data)


def told(service: Service, job_id: str, after: int = 0) -> list[dict[str, Any]]:
    url = f"{service.url.replace('http', 'ws')}/v1/jobs/{job_id}/events?after={after}"
    with connect(url) as socket:
        messages = [json.loads(text) for text in socket]
        assert socket.close_code == 1000
    return messages


def test_all_events_come_in_order_and_the_stream_ends_with_the_job(service: Service) -> None:
    job = submitted(service, folder_of(service.folder("followed"), 60, 61, 62))
    numbered = [data for _, data in heard(service, job["id"]) if data["number"] is not None]
    assert [data["number"] for data in numbered] == list(range(1, len(numbered) + 1))
    assert [data["type"] for data in numbered].count("page_done") == 3
    assert (numbered[0]["type"], numbered[-1]["type"], numbered[-1]["state"]) == ("submitted", "done", "done")
    assert numbered == [data for data in told(service, job["id"]) if data["number"] is not None]


def test_a_client_goes_on_where_it_was(service: Service) -> None:
    job = submitted(service, folder_of(service.folder("resumed"), 63, 64))
    everything = [data for _, data in heard(service, job["id"]) if data["number"] is not None]
    rest = list(heard(service, job["id"], **{"Last-Event-ID": "3"}))
    assert [data for _, data in rest] == everything[3:]
    assert [number for number, _ in rest] == [str(data["number"]) for data in everything[3:]]
    assert told(service, job["id"], after=len(everything) - 1) == everything[-1:]
    assert told(service, job["id"], after=len(everything)) == []
    last = {"Last-Event-ID": str(len(everything))}  # a browser would connect again for ever
    assert service.http.get(f"/v1/jobs/{job['id']}/events", headers=last).status_code == 204


def test_a_priority_is_told_by_its_name_and_a_sentence_is_left_as_it_is(service: Service) -> None:
    job = submitted(service, folder_of(service.folder("urgent"), 101))
    service.room.at_gate(job["id"], 101)
    service.http.patch(f"/v1/jobs/{job['id']}/priority", json={"priority": "ahead"})
    service.room.open(101)
    (event,) = [data for data in told(service, job["id"]) if data["type"] == "prioritised"]
    assert event["priority"] == "ahead"
    note = {"template": "{max_px} pixels", "facts": {"max_px": 3}}
    assert in_camel_case({"halo_px": 1, "notes": (note,)}) == {"haloPx": 1, "notes": [note]}


def test_tiles_are_told_without_a_number(service: Service) -> None:
    folder = service.folder("tiles")
    page_file(folder, "a.png", 0, 130, 130)
    job = submitted(service, folder)
    tiles = []
    for number, data in heard(service, job["id"]):
        if data["type"] == "progress":
            tiles.append(data)
            assert number == str(2) or int(number) >= 1  # the id of the event before, as browsers keep it
            service.room.open(130)
    assert tiles
    assert tiles[0]["page"] == "a.png"
    assert 0 <= tiles[0]["share"] <= 1


def test_errors_in_events_are_told_in_the_language_asked_for(service: Service) -> None:
    folder = folder_of(service.folder("broken"), 65)
    (folder / "02.png").write_bytes(b"no picture")
    job = submitted(service, folder)
    failed = [data for _, data in heard(service, job["id"]) if data["type"] == "page_failed"]
    assert failed[0]["page"] == "02.png"
    assert failed[0]["error"]["code"] == "bad_picture"
    assert isinstance(failed[0]["error"]["message"], str)
    chinese = [
        data for _, data in heard(service, job["id"], **{"Accept-Language": "zh"}) if data["type"] == "page_failed"
    ]
    assert chinese[0]["error"]["message"] != failed[0]["error"]["message"]
    assert service.http.get(f"/v1/jobs/{job['id']}").json()["state"] == "partial"


def test_an_unknown_job_has_no_events(service: Service) -> None:
    assert service.http.get("/v1/jobs/none/events").json()["code"] == "unknown_job"
    with connect(f"{service.url.replace('http', 'ws')}/v1/jobs/none/events") as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv()
        assert socket.close_code == 4404


@pytest.mark.parametrize(
    "wrong",
    ["none/events?after=-5", "none/events?after=99999999999999999999999", "none/events?after=x", "a%20b/events"],
)
def test_a_socket_is_asked_for_as_http_asks(service: Service, wrong: str) -> None:
    assert service.http.get(f"/v1/jobs/{wrong}").status_code == 422
    with connect(f"{service.url.replace('http', 'ws')}/v1/jobs/{wrong}") as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv()
        assert socket.close_code == 4400


def test_clients_that_leave_are_forgotten(service: Service) -> None:
    folder = service.folder("left")
    page_file(folder, "a.png", 0, 131, 131)
    job = submitted(service, folder)
    service.room.at_gate(job["id"], 131)
    with httpx.stream("GET", f"{service.url}/v1/jobs/{job['id']}/events") as answer:
        assert next(answer.iter_bytes())
    with connect(f"{service.url.replace('http', 'ws')}/v1/jobs/{job['id']}/events") as socket:
        assert socket.recv()
        socket.send("anything")
    service.room.open(131)
    service.room.finished(job["id"])
