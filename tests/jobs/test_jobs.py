"""The room's face: what is submitted comes back whole, is watched and deleted, and survives the server."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_workers import make_graph
from job_making import Room, event_types, folder_of, room_of, running_room, server_settings, until, volume
from special_pages import NO_ROOM_PX

from enlarger.errors import CancelledError, DiskFullError, IllegalMoveError, StorageError, UnknownJobError
from enlarger.jobs import JobSource, JobState, PageState, dispatcher
from enlarger.messages import msg

_GATED = 91
_Usage = namedtuple("_Usage", "total used free")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def room(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


# ---- the whole road ----


def test_a_folder_becomes_an_archive(room: Room, tmp_path: Path) -> None:
    job = room.finished(room.submit(folder_of(tmp_path / "book", 30, 35, 36)))
    assert job.state is JobState.DONE, job.reason
    with zipfile.ZipFile(room.jobs.artifact_path(job)) as archive:
        assert archive.namelist() == ["01.png", "02.png", "03.png", "artifact-report.json"]
    types = event_types(room.jobs, job.id)
    assert types == ["submitted", "listed", "running", *["page_done"] * 3, "packing", "done"]
    assert all(room.jobs.output_path(page).is_file() for page in room.jobs.pages(job.id))
    assert room.jobs.report(job.id)["summary"] == {"processed": 3, "failed": 0}


def test_listeners_hear_of_commits_and_tiles_whatever_another_does(room: Room, tmp_path: Path) -> None:
    heard: list[tuple[str, Mapping[str, Any] | None]] = []

    def broken(_job: str, _progress: Mapping[str, Any] | None) -> None:
        raise RuntimeError

    ends = room.jobs.subscribe(broken), room.jobs.subscribe(lambda *what: heard.append(what))
    try:
        job = room.finished(room.submit(folder_of(tmp_path / "book", 85)))
        until(lambda: heard[-1:] == [(job.id, None)])  # after the last commit too
    finally:
        for end in ends:
            end()
    tiles = [progress for job_id, progress in heard if job_id == job.id and progress]
    assert tiles[-1] == {"page": "01.png", "position": 0, "share": 1.0}
    told = len(heard)
    room.finished(room.submit(folder_of(tmp_path / "other", 30)))
    assert len(heard) == told


def test_waiting_ends_with_its_time_or_its_token(room: Room, tmp_path: Path) -> None:
    job = room.submit(folder_of(tmp_path / "book", _GATED))
    assert not room.jobs.wait(job, 0.01).state.is_final
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        room.jobs.wait(job, 60.0, stop)
    with pytest.raises(IllegalMoveError):
        room.jobs.delete(job)
    room.open(_GATED)
    room.finished(job)


def test_deleting_takes_all_files_and_nothing_else(room: Room, tmp_path: Path) -> None:
    storage = room.jobs.storage
    jobs = [room.finished(room.submit(folder_of(tmp_path / "twin", 30))) for _ in range(2)]
    upload = storage.upload_dir(jobs[0].id)
    upload.mkdir()
    assert all(path.exists() for path in storage.owned_by(jobs[0]))
    room.jobs.delete(jobs[0].id)
    assert not any(path.exists() for path in storage.owned_by(jobs[0]))
    assert room.jobs.artifact_path(jobs[1]).exists()
    assert storage.output_dir(jobs[1]).exists()
    with pytest.raises(UnknownJobError):
        room.jobs.get(jobs[0].id)
    room.jobs.delete(jobs[1].id)
    assert list(storage.outputs.glob("twin*")) == []


# ---- sources ----


def test_a_source_that_cannot_be_read_fails_its_job(room: Room, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = tmp_path / "nothing.zip"
    nothing.write_bytes(b"not a zip at all")
    sources = [JobSource("folder", tmp_path / "missing"), JobSource("folder", empty), JobSource("archive", nothing)]
    sources.append(JobSource("picture", tmp_path / "missing.png"))
    for source in sources:
        job = room.finished(room.submit(source.path, source=source))
        assert job.state is JobState.FAILED
        assert job.reason is not None
        assert source.path.name in job.reason.text("en")


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right on Windows")
def test_a_source_that_comes_later_as_a_link_out_of_the_root_is_refused(room: Room, tmp_path: Path) -> None:
    outside = folder_of(tmp_path / "outside", 30)
    path = room.jobs.storage.resolve("later", must_exist=False)
    path.symlink_to(outside)
    job = room.finished(room.submit(path))
    assert job.state is JobState.FAILED
    assert job.reason is not None
    assert "leads out of the storage root" in job.reason.text("en")
    path.unlink()
    path.symlink_to(folder_of(path.with_name("inside"), 30))
    assert room.finished(room.submit(path)).state is JobState.DONE


def test_a_slow_listing_stops_nobody(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    list_job = dispatcher.list_job

    def slow(ledger: Any, storage: Any, job: Any, settings: Any) -> None:
        if job.submission.title == "huge":
            goes_on.wait()
        list_job(ledger, storage, job, settings)

    monkeypatch.setattr(dispatcher, "list_job", slow)
    huge = room.submit(folder_of(tmp_path / "huge", 30))
    try:
        assert room.finished(room.submit(folder_of(tmp_path / "small", 30))).state is JobState.DONE
        assert not room.jobs.get(huge).listed
    finally:
        goes_on.set()
    assert room.finished(huge).state is JobState.DONE


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_pages_lost_before_they_were_packed_are_made_again(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dispatcher, "pack_job", lambda *_what: None)
        job = room.submit(folder_of(tmp_path / "book", 47, 48))
        room.becomes(job, JobState.PACKING)
        file = room.jobs.output_path(room.jobs.page(job, 1))
        data = file.read_bytes()
        file.unlink()  # not written in place: the cache shares the file
        if harm == "changed":
            file.write_bytes(data[:-1] + b"?")
    failed = room.finished(job)
    assert failed.state is JobState.FAILED
    assert failed.reason is not None
    assert "02.png" in failed.reason.text("en")
    assert room.jobs.retry(job).counts.done == 1
    assert room.finished(job).state is JobState.DONE
    assert file.read_bytes() == data


# ---- a full disk, and what nobody foresaw ----


def test_a_full_disk_pauses_with_its_reason_until_there_is_room(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [1000 << 20]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: _Usage(0, 0, free[0]))
    job = room.submit(folder_of(tmp_path / "book", 37, NO_ROOM_PX, 38))
    reason = room.becomes(job, JobState.PAUSED).reason
    assert reason is not None
    assert reason.code == "disk_full"
    until(lambda: "running" not in room.page_states(job))
    (room.gates / "room").touch()
    free[0] += 2 << 20
    assert room.finished(job).state is JobState.DONE
    assert {page.crashes for page in room.jobs.pages(job)} == {0}


def test_a_job_that_waits_for_room_and_is_paused_by_a_person_stays_paused(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [0]
    (room.gates / "room").unlink(missing_ok=True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: _Usage(0, 0, free[0]))
    stays, goes_on = (room.submit(folder_of(tmp_path / name, NO_ROOM_PX)) for name in ("stays", "goes on"))
    for job in (stays, goes_on):
        room.becomes(job, JobState.PAUSED)
    assert room.jobs.pause(stays).reason is None
    (room.gates / "room").touch()
    free[0] += 2 << 20
    assert room.finished(goes_on).state is JobState.DONE
    assert room.jobs.get(stays).state is JobState.PAUSED
    room.jobs.resume(stays)
    assert room.finished(stays).state is JobState.DONE


def test_a_result_that_the_ledger_has_no_room_for_is_written_later(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, free = room.jobs._ledger, [1000 << 20]
    finish, refusals = ledger.finish, iter([DiskFullError(msg("full"))] * 2)

    def full(*what: Any) -> bool:
        for refusal in refusals:
            raise refusal
        free[0] += 2 << 20  # there is room again
        return finish(*what)

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: _Usage(0, 0, free[0]))

    monkeypatch.setattr(ledger, "finish", full)
    job = room.finished(room.submit(folder_of(tmp_path / "book", 39, 40)))
    assert job.state is JobState.DONE
    assert room.computed(39) == 1


def test_the_dispatcher_goes_on_after_anything(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assigning = room.jobs._dispatcher._assigning
    spread, errors = assigning.spread, iter([RuntimeError("a bug")])

    def stumble() -> None:
        for error in errors:
            raise error
        spread()

    monkeypatch.setattr(assigning, "spread", stumble)
    with caplog.at_level(logging.ERROR):
        assert room.finished(room.submit(folder_of(tmp_path / "book", 41))).state is JobState.DONE
    assert "a bug" in caplog.text


# ---- one server, and the next ----


def test_a_storage_root_has_one_server(room: Room, graph: Path) -> None:
    with pytest.raises(StorageError, match="another server"):
        room_of(server_settings(room.root), graph, room.root)


def test_what_was_in_hand_goes_on_with_the_next_server(graph: Path, tmp_path: Path) -> None:
    with running_room(graph, tmp_path) as room:
        job = room.submit(folder_of(tmp_path / "book", 42, _GATED, 43))
        room.at_gate(job, _GATED)
        until(lambda: room.jobs.get(job).counts.done == 1)
        storage = room.jobs.storage
        leftover = storage.output_dir(room.jobs.get(job)) / ".enlarger-half.png"
        leftover.touch()
        orphan = storage.upload_dir("00000000-0000-4000-8000-000000000000")
        orphan.mkdir()
    room.open(_GATED)
    with running_room(graph, tmp_path) as room:
        assert room.finished(job).state is JobState.DONE
        assert [room.computed(width) for width in (42, _GATED, 43)] == [1, 1, 1]
        assert {page.crashes for page in room.jobs.pages(job, states=[PageState.DONE])} == {0}
        assert not leftover.exists()
        assert not orphan.exists()


def test_pages_in_hand_may_finish_when_the_server_stops(graph: Path, tmp_path: Path) -> None:
    jobs = room_of(server_settings(tmp_path), graph, tmp_path)
    jobs.start()
    room = Room(jobs, tmp_path)
    job = room.submit(folder_of(tmp_path / "book", _GATED, 44))
    room.at_gate(job, _GATED)
    threading.Timer(0.3, room.open, [_GATED]).start()
    jobs.stop(grace_s=30.0)
    with room_of(server_settings(tmp_path), graph, tmp_path) as again:
        assert [page.state for page in again.pages(job)][:1] == [PageState.DONE]
        assert Room(again, tmp_path).finished(job).state is JobState.DONE


def test_a_job_that_was_being_packed_is_packed_again(
    graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dispatcher, "pack_job", lambda *_what: None)
        with running_room(graph, tmp_path) as room:
            job = room.submit(folder_of(tmp_path / "book", 45))
            room.becomes(job, JobState.PACKING)
    with running_room(graph, tmp_path) as room:
        assert room.finished(job).artifact is not None
        assert room.computed(45) == 1


def test_submitted_before_the_start_is_done_after_it(graph: Path, tmp_path: Path) -> None:
    jobs = room_of(server_settings(tmp_path), graph, tmp_path)
    job, _ = jobs.submit(volume(folder_of(tmp_path / "book", 46)))
    with jobs:
        assert Room(jobs, tmp_path).finished(job.id).state is JobState.DONE
