"""WS /v1/live: one socket tells of everything, of no job twice as much as of another, and never more than fits."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from fake_workers import page_file
from job_making import folder_of
from loopback import serving
from memory_jobs import MemoryJobs
from test_v1_jobs import submitted
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from conftest import Service
from enlarger import __version__
from enlarger.enhance import make_recipe
from enlarger.jobs import JobSource, Submission
from enlarger.server import create_app

Message = dict[str, Any]


@contextmanager
def live(service: Service, language: str = "en") -> Iterator[ClientConnection]:
    url = f"{service.url.replace('http', 'ws')}/v1/live"
    with connect(url, additional_headers={"Accept-Language": language}) as socket:
        assert json.loads(socket.recv(30)) == {"type": "hello", "version": __version__, "language": language}
        yield socket


def heard(socket: ClientConnection, wanted: Callable[[Message], bool]) -> list[Message]:
    """Messages up to the first that is wanted."""
    messages: list[Message] = []
    while not (messages and wanted(messages[-1])):
        messages.append(json.loads(socket.recv(30)))
    return messages


def ask(socket: ClientConnection, **message: Any) -> None:
    socket.send(json.dumps(message))


def code_at_its_end(socket: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        for _ in socket:
            pass
    return socket.close_code


def is_job(job_id: str, state: str) -> Callable[[Message], bool]:
    return lambda told: told["type"] == "job" and told["job"]["id"] == job_id and told["job"]["state"] == state


def test_a_job_is_told_as_the_list_shows_it_until_it_is_gone(service: Service) -> None:
    with live(service) as socket:
        job = submitted(service, folder_of(service.folder("live"), 71, 72))
        told = heard(socket, is_job(job["id"], "done"))[-1]["job"]
        assert told == service.http.get(f"/v1/jobs/{job['id']}").json()
        service.http.delete(f"/v1/jobs/{job['id']}")
        gone = heard(socket, lambda message: message["type"] == "job-deleted")[-1]
        assert gone == {"type": "job-deleted", "id": job["id"]}


def test_only_watched_jobs_tell_their_events_all_and_in_order(service: Service) -> None:
    with live(service) as socket:
        job = submitted(service, folder_of(service.folder("watched"), 73, 74, 75))
        ended = heard(socket, is_job(job["id"], "done"))
        assert {"event", "progress"}.isdisjoint(message["type"] for message in ended)
        ask(socket, type="watch", job=job["id"], after=2)
        last = job_events(service, job["id"])[-1]
        events = [
            message["event"]
            for message in heard(socket, lambda told: told["type"] == "event" and told["event"] == last)
            if message["type"] == "event"
        ]
        assert events == job_events(service, job["id"])[2:]


def job_events(service: Service, job_id: str) -> list[Message]:
    with connect(f"{service.url.replace('http', 'ws')}/v1/jobs/{job_id}/events") as socket:
        return [event for event in map(json.loads, socket) if event["number"] is not None]


def test_a_watch_outlives_the_jobs_end(service: Service) -> None:
    folder = folder_of(service.folder("again"), 76)
    (folder / "02.png").write_bytes(b"no picture")
    job = submitted(service, folder)
    with live(service) as socket:
        ask(socket, type="watch", job=job["id"])
        heard(socket, lambda told: told["type"] == "event" and told["event"]["type"] == "partial")
        service.http.post(f"/v1/jobs/{job['id']}/retry")
        again = heard(socket, lambda told: told["type"] == "event" and told["event"]["type"] == "partial")
        assert any(told["type"] == "event" and told["event"]["type"] == "retried" for told in again)


def test_tiles_of_a_watched_job_are_told(service: Service) -> None:
    folder = service.folder("watched-tiles")
    page_file(folder, "a.png", 0, 140, 140)
    job = submitted(service, folder)
    with live(service) as socket:
        ask(socket, type="watch", job=job["id"])
        service.room.at_gate(job["id"], 140)
        told = heard(socket, lambda message: message["type"] == "progress")[-1]
        service.room.open(140)
    service.room.finished(job["id"])  # or later tests would hear of it
    assert (told["job"], told["position"], told["page"]) == (job["id"], 0, "a.png")
    assert 0 <= told["share"] <= 1


def test_what_nobody_watches_any_more_is_not_told(service: Service) -> None:
    folder = service.folder("unwatched")
    page_file(folder, "a.png", 0, 141, 141)
    job = submitted(service, folder)
    service.room.at_gate(job["id"], 141)
    with live(service) as socket:
        ask(socket, type="watch", job=job["id"])
        heard(socket, lambda told: told["type"] == "event" and told["event"]["type"] == "running")
        ask(socket, type="unwatch", job=job["id"])
        ask(socket, type="ping")
        heard(socket, lambda told: told["type"] == "pong")
        service.room.open(141)
        rest = heard(socket, is_job(job["id"], "done"))
        assert "event" not in {message["type"] for message in rest}


def test_single_pictures_are_not_told(service: Service) -> None:
    page = service.folder("single") / "a.png"
    page_file(page.parent, page.name, 0, 77, 40)
    touched: set[str] = set()  # the single picture's job has no name here; what earlier tests left may go meanwhile
    unsubscribe = service.room.jobs.subscribe(lambda job_id, _: touched.add(job_id))
    with live(service) as socket:
        service.http.post("/v1/upscale", content=page.read_bytes()).raise_for_status()
        job = submitted(service, folder_of(service.folder("after-single"), 78))
        told = heard(socket, is_job(job["id"], "done"))
        assert {message["job"]["id"] for message in told if message["type"] == "job"} == {job["id"]}
        assert not touched & {message["id"] for message in told if message["type"] == "job-deleted"}
    unsubscribe()
    assert len(touched) > 1


def test_workers_are_told_at_once_and_when_they_change(service: Service) -> None:
    with live(service) as socket:
        told = heard(socket, lambda message: message["type"] == "workers")[-1]
        devices = service.http.get("/v1/devices").json()
        assert [worker["id"] for worker in told["workers"]] == [worker["id"] for worker in devices["workers"]]


def test_an_unknown_job_is_a_deleted_one(service: Service) -> None:
    with live(service) as socket:
        ask(socket, type="watch", job="none")
        assert heard(socket, lambda told: told["type"] == "job-deleted")[-1]["id"] == "none"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        '{"type": "dance"}',
        '{"type": "watch"}',
        '{"type": "watch", "job": "a b"}',
        '"' + "x" * 9000,
    ],
)
def test_what_cannot_be_read_closes_the_socket(service: Service, text: str) -> None:
    with live(service) as socket:
        socket.send(text)
        assert code_at_its_end(socket) == 4400


def test_nobody_watches_the_whole_list(service: Service) -> None:
    with live(service) as socket:
        for n in range(33):
            ask(socket, type="watch", job=f"none-{n}")
        assert code_at_its_end(socket) == 4400


def test_errors_are_told_in_the_sockets_language(service: Service) -> None:
    with live(service, "zh") as chinese, live(service) as english:
        service.folder("empty-of-pages").mkdir(parents=True)
        job = submitted(service, service.folder("empty-of-pages"))
        reasons = [heard(socket, is_job(job["id"], "failed"))[-1]["job"]["reason"] for socket in (chinese, english)]
    assert reasons[0]["code"] == reasons[1]["code"]
    assert reasons[0]["message"] != reasons[1]["message"]


def test_those_who_sit_go_home_with_the_server(memory: Callable[..., MemoryJobs]) -> None:
    jobs = memory()
    job = jobs.submit(Submission(JobSource("folder", jobs.storage.incoming), make_recipe(jobs.catalog)))[0]
    with ExitStack() as running:
        url = running.enter_context(serving(create_app(jobs.settings, jobs)))  # type: ignore[arg-type]
        with connect(f"{url.replace('http', 'ws')}/v1/live") as socket:
            ask(socket, type="watch", job=job.id)
            heard(socket, lambda told: told["type"] == "event")
            stopping = threading.Thread(target=running.close)
            stopping.start()
            rest: list[Message] = []
            with suppress(ConnectionClosed):
                rest += map(json.loads, socket)
            stopping.join()
    assert socket.close_code in (1001, 1012)
    assert "job-deleted" not in {told["type"] for told in rest}  # the server goes, not the job
