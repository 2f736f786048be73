"""Weights before work: jobs wait for what they lack, are told of it, and it stops when none of them waits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_workers import make_graph, recipe
from job_making import (
    PATIENCE_S,
    Room,
    event_types,
    folder_of,
    room_of,
    running_room,
    server_settings,
    until,
    volume,
)
from pulling import NO_NET, SlowFetch, put_weights

from enlarger.errors import WeightsMissingError
from enlarger.jobs import Crew, Job, Jobs, JobState, Priority, Pulls, WorkerSetup
from enlarger.jobs.fetching import Fetching
from enlarger.jobs.protocol import Refresh
from enlarger.jobs.weights import Weights
from enlarger.jobs.worker import make_enhancer
from enlarger.models import load_catalog
from enlarger.settings import Settings

CATALOG = load_catalog()
CUNET = CATALOG.choose("waifu2x-cunet").card


@pytest.fixture(autouse=True, scope="module")
def nothing_installed() -> Iterator[None]:
    """No package of weights is on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("enlarger.models.sources.installed_folder", lambda _package: None)
        yield


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def _fetch() -> SlowFetch:
    return SlowFetch(held=True)


@pytest.fixture(scope="module")
def _room(graph: Path, tmp_path_factory: pytest.TempPathFactory, _fetch: SlowFetch) -> Iterator[Room]:
    with running_room(graph, tmp_path_factory.mktemp("room"), fetch=_fetch, offline=False) as room:
        yield room


@pytest.fixture
def fetch(_fetch: SlowFetch) -> SlowFetch:
    _fetch.reset()
    return _fetch


@pytest.fixture
def room(_room: Room, fetch: SlowFetch) -> Room:
    """Without any weights."""
    shutil.rmtree(_room.jobs.settings.models_dir, ignore_errors=True)
    _room.jobs._weights.forget()
    return _room


@pytest.fixture
def online(settings: Settings) -> Settings:
    return settings.model_copy(update={"offline": False})


def fetching_events(room: Room, job_id: str) -> list[Any]:
    return [event.data for event in room.jobs.events(job_id) if event.type == "fetching"]


# ---- jobs ----


def test_a_job_waits_for_its_weights_and_is_told(room: Room, fetch: SlowFetch, tmp_path: Path) -> None:
    job = room.submit(folder_of(tmp_path / "book", 40))
    (told,) = until(lambda: fetching_events(room, job))
    assert {"state": "queued", "model": CUNET.name, "total": 0}.items() <= told.items()
    assert room.jobs.get(job).state is JobState.QUEUED
    assert [state.model for state in room.jobs.pulls.states()] == [CUNET.name]
    fetch.gate.set()
    assert room.finished(job).state is JobState.DONE
    assert event_types(room.jobs, job)[:4] == ["submitted", "fetching", "listed", "running"]
    assert fetch.done == ["MODEL_WAIFU2X_CUNET_UP2X"], "only what the recipe needs"


def test_a_reader_s_page_waits_as_well_and_then_never_again(room: Room, fetch: SlowFetch, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "book", 41, 42)
    reading: dict[str, Any] = {"priority": Priority.READING, "packs": False}
    first, _ = room.jobs.submit(volume(folder, only=("01.png",), **reading))
    assert not first.listed
    fetch.gate.set()
    assert room.finished(first.id).state is JobState.DONE
    second, _ = room.jobs.submit(volume(folder, only=("02.png",), **reading))
    assert second.listed
    assert room.finished(second.id).state is JobState.DONE


def test_jobs_share_one_pull_and_the_workers_are_told(
    room: Room, fetch: SlowFetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    crew = room.jobs._crew
    send = crew.send
    monkeypatch.setattr(crew, "send", lambda worker, message: (sent.append(message), send(worker, message))[1])
    until(lambda: room.jobs.states()[0].state == "idle")
    jobs = [room.submit(folder_of(tmp_path / f"book{n}", 43 + n)) for n in range(3)]
    for job in jobs:
        until(lambda job=job: fetching_events(room, job))  # type: ignore[misc]
    fetch.gate.set()
    assert {room.finished(job).state for job in jobs} == {JobState.DONE}
    assert len(fetch.begun) == 1
    assert Refresh() in sent


@pytest.mark.parametrize("step", ["cancel", "pause"])
def test_it_stops_when_no_job_waits_any_more(room: Room, fetch: SlowFetch, tmp_path: Path, step: str) -> None:
    first, second = (room.submit(folder_of(tmp_path / name, 44)) for name in ("one", "two"))
    until(lambda: fetching_events(room, first) and fetching_events(room, second))
    getattr(room.jobs, step)(first)
    until(lambda: fetch.begun)
    assert not fetch.cancelled
    getattr(room.jobs, step)(second)
    until(lambda: fetch.cancelled)
    if step == "cancel":
        room.jobs.delete(first)
        room.jobs.retry(second)
    else:
        room.jobs.resume(second)
    fetch.gate.set()
    assert room.finished(second).state is JobState.DONE


def test_what_a_person_wants_goes_on_without_jobs(room: Room, fetch: SlowFetch, tmp_path: Path) -> None:
    job = room.submit(folder_of(tmp_path / "book", 45))
    until(lambda: fetching_events(room, job))
    room.jobs.pulls.start("cunet")
    room.jobs.cancel(job)
    fetch.gate.set()
    until(lambda: CUNET.name in fetch.done)
    assert not fetch.cancelled


def failing(fetch: SlowFetch) -> None:
    fetch.fails = NO_NET
    fetch.gate.set()


@pytest.mark.parametrize(("harm", "code"), [("fails", "fetch_failed"), ("stopped", "cancelled")])
def test_a_pull_that_fails_or_is_stopped_fails_its_jobs(
    room: Room, fetch: SlowFetch, tmp_path: Path, harm: str, code: str
) -> None:
    jobs = [room.submit(folder_of(tmp_path / name, 46)) for name in ("one", "two")]
    for job in jobs:
        until(lambda job=job: fetching_events(room, job))  # type: ignore[misc]
    if harm == "fails":
        failing(fetch)
    else:
        room.jobs.pulls.cancel("cunet")
    for job in map(room.finished, jobs):
        assert job.state is JobState.FAILED
        assert job.reason is not None
        assert job.reason.code == code
    fetch.fails = None
    fetch.gate.set()
    room.jobs.retry(jobs[0])
    assert room.finished(jobs[0]).state is JobState.DONE


def test_a_job_that_came_after_its_end_has_a_pull_of_its_own(online: Settings) -> None:
    fetch, failed = SlowFetch(held=True), list[str]()
    pulls = Pulls(online, CATALOG, fetch=fetch)
    ledger: Any = SimpleNamespace(tell_fetching=lambda *_a, **_k: None, fail_job=lambda job, _why: failed.append(job))
    fetching = Fetching(ledger, pulls, Weights(online, CATALOG))
    first, second = (
        cast("Job", SimpleNamespace(id=name, submission=SimpleNamespace(recipe=recipe()))) for name in ("one", "two")
    )
    try:
        assert fetching.ready([first]) == []
        pulls.cancel(CUNET.name)
        assert fetching.ready([first, second]) == []
        assert failed == ["one"]
        state = pulls.state(CUNET.name)
        assert state is not None
        assert not state.has_ended
        assert fetching.ready([second, first]) == []  # retried, it waits with the other
        assert failed == ["one"]
    finally:
        pulls.close()


def test_weights_that_do_not_appear_are_no_endless_fetching(
    room: Room, fetch: SlowFetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulling.put_weights", lambda *_what: None)
    fetch.gate.set()
    job = room.finished(room.submit(folder_of(tmp_path / "book", 47)))
    assert job.reason is not None
    assert job.reason.code == "weights_missing"
    assert len(fetch.begun) == 1


def test_a_package_is_unpacked_to_its_end_though_a_job_s_own_file_is_there(
    room: Room, fetch: SlowFetch, tmp_path: Path
) -> None:
    job = room.submit(folder_of(tmp_path / "book", 47))
    until(lambda: fetch.begun)
    put_weights(room.jobs.settings, CUNET.variant(2))
    room.jobs._weights.forget()
    other = room.submit(folder_of(tmp_path / "other", 48))  # it lacks nothing
    assert room.finished(other).state is JobState.DONE
    assert not fetch.cancelled
    assert not room.jobs.get(job).listed
    fetch.gate.set()
    assert room.finished(job).state is JobState.DONE
    assert fetch.done


def test_a_blend_needs_the_denoiser_too(room: Room, fetch: SlowFetch, tmp_path: Path) -> None:
    blended = recipe(model="realesrgan-x4plus", scale=4.0, denoise=0.75, denoise_level=1)
    job = room.submit(folder_of(tmp_path / "book", 48), recipe=blended)
    until(lambda: {told["model"] for told in fetching_events(room, job)} == {"realesrgan-x4plus", CUNET.name})
    fetch.gate.set()
    until(lambda: room.jobs.get(job).listed)
    assert len(fetch.done) == 2
    room.jobs.cancel(job)


def test_the_next_server_goes_on_fetching(graph: Path, tmp_path: Path) -> None:
    root, fetch = tmp_path / "room", SlowFetch(held=True)
    with running_room(graph, root, fetch=fetch, offline=False) as room:
        job = room.submit(folder_of(tmp_path / "book", 49))
        until(lambda: fetch.begun)
    assert fetch.cancelled
    with running_room(graph, root, fetch=SlowFetch(), offline=False) as room:
        assert room.finished(job).state is JobState.DONE


def test_offline_the_worker_says_what_is_missing(tmp_path: Path) -> None:
    fetch = SlowFetch()
    settings = server_settings(tmp_path / "room", preload="cunet")
    crew = Crew(WorkerSetup(settings, prepare="pulling:hide_packages"))
    with Jobs(settings, crew=crew, fetch=fetch) as jobs:
        job, _ = jobs.submit(volume(folder_of(tmp_path / "book", 40)))
        failed = jobs.wait(job.id, PATIENCE_S)
    assert failed.reason is not None
    assert failed.reason.code == "weights_missing"
    assert "switched off" in failed.reason.text("en")
    assert not fetch.begun


def test_a_worker_never_fetches(online: Settings) -> None:
    with pytest.raises(WeightsMissingError, match="were not fetched"):
        make_enhancer(online).graph(CUNET.variants[0])


def test_models_to_be_opened_at_the_start_are_fetched(graph: Path, tmp_path: Path) -> None:
    fetch = SlowFetch()
    jobs = room_of(server_settings(tmp_path, offline=False, preload="cunet, nothing"), graph, tmp_path, fetch)
    with jobs:
        until(lambda: fetch.done == [CUNET.name])


# ---- looking for weights ----


def test_what_is_there_is_looked_for_once(online: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, looked = Weights(online, CATALOG), []
    put_weights(online, CUNET.variant(2))
    from enlarger.jobs import weights as module

    found_at = module.found_at

    def counting(*what: Any) -> str | None:
        looked.append(what)
        return found_at(*what)

    monkeypatch.setattr(module, "found_at", counting)
    assert [weights.lacking(recipe()) for _ in range(3)] == [(), (), ()]
    assert len(looked) == 1
    weights.forget()
    next(online.models_dir.rglob("*.bin")).unlink()
    assert [lack.variant for lack in weights.lacking(recipe())] == [CUNET.variant(2)]


def test_a_box_may_need_any_network(online: Settings) -> None:
    boxed = recipe(model="realesr-animevideov3", scale=2.0, width=1001)
    lacking = Weights(online, CATALOG).lacking(boxed)
    assert {lack.variant.scale for lack in lacking} == {2, 3, 4}


def test_a_model_that_is_no_more_is_the_worker_s_to_refuse(online: Settings) -> None:
    assert Weights(online, CATALOG).lacking(recipe(model="gone")) == ()


def test_many_recipes_are_not_remembered_for_ever(online: Settings) -> None:
    weights = Weights(online, CATALOG)
    put_weights(online, CUNET.variant(2))
    remember: Callable[..., None] = weights._remember
    for n in range(1500):
        remember(recipe(quality=1 + n % 100, tile_px=32 + n))
    assert len(weights._here) <= 1000
