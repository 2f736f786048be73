"""Jobs for some pages of a book by their names: listed when they are accepted, failed one by one."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import make_graph
from job_making import Room, event_types, folder_of, room_of, running_room, server_settings, until, volume

from enlarger.errors import InputError
from enlarger.jobs import JobSource, JobState, PageState, Priority, preparing

_GATED = 91


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def room(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


def archive_of(folder: Path, path: Path) -> JobSource:
    with zipfile.ZipFile(path, "w") as archive:
        for page in folder.iterdir():
            archive.write(page, f"名/{page.name}")
        archive.writestr("ComicInfo.xml", "<ComicInfo/>")
    return JobSource("archive", path)


def test_the_pages_named_are_enlarged_and_no_book_is_opened_for_it(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "list_pages", None)
    source = archive_of(folder_of(tmp_path / "book", 30, 35, 36), tmp_path / "book.cbz")
    job, _ = room.jobs.submit(volume(tmp_path / "book", source=source, only=("名/03.png", "名/01.png")))
    assert (job.listed, job.counts.total) == (True, 2)
    done = room.finished(job.id)
    assert done.state is JobState.DONE, done.reason
    with zipfile.ZipFile(room.jobs.artifact_path(done)) as archive:
        assert archive.namelist() == ["名/01.png", "名/03.png", "ComicInfo.xml", "artifact-report.json"]
    report = room.jobs.report(job.id)
    assert [page["source"] for page in report["pages"]] == ["名/01.png", "名/03.png"]
    assert event_types(room.jobs, job.id)[:3] == ["submitted", "listed", "running"]


def test_a_page_that_is_not_there_fails_by_itself(room: Room, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "book", 37)
    job = room.finished(room.submit(folder, only=("01.png", "02.png", "../book/01.png")))
    assert job.state is JobState.PARTIAL
    failures = {page.name: page.failure for page in room.jobs.pages(job.id, states=[PageState.FAILED])}
    assert {name: failure and failure.code for name, failure in failures.items()} == {
        "02.png": "bad_book",
        "../book/01.png": "bad_book",
    }
    folder_of(folder, 37, 38)
    room.jobs.retry(job.id)
    again = room.finished(job.id)
    assert (again.state, again.counts.done, again.counts.failed) == (JobState.PARTIAL, 2, 1)


def test_from_a_book_that_is_not_there_all_fail(room: Room, tmp_path: Path) -> None:
    job = room.finished(room.submit(tmp_path / "missing", only=("01.png", "02.png"), transient=True, packs=False))
    assert job.state is JobState.FAILED
    assert job.reason is not None
    assert job.reason.code == "bad_book"


def test_from_another_source_the_same_names_are_taken(room: Room, tmp_path: Path) -> None:
    job = room.finished(room.submit(tmp_path / "missing", only=("02.png",)))
    room.jobs.retry(job.id, JobSource("folder", folder_of(tmp_path / "there", 39, 40)))
    again = room.finished(job.id)
    assert (again.state, again.counts.total) == (JobState.DONE, 1)
    assert room.jobs.pages(job.id)[0].name == "02.png"


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right on Windows")
def test_a_link_out_of_the_root_is_refused_at_once(room: Room, tmp_path: Path) -> None:
    path = room.jobs.storage.resolve("linked", must_exist=False)
    path.symlink_to(folder_of(tmp_path / "outside", 30))
    with pytest.raises(InputError, match="leads out"):
        room.submit(path, only=("01.png",))


def test_a_reader_s_page_goes_first(room: Room, tmp_path: Path) -> None:
    held = room.submit(folder_of(tmp_path / "volume", _GATED, _GATED))
    room.at_gate(held, _GATED)
    page = room.submit(folder_of(tmp_path / "book", 41), only=("01.png",), priority=Priority.READING, packs=False)
    assert room.finished(page).state is JobState.DONE
    assert not room.jobs.get(held).state.is_final
    room.open(_GATED)
    room.finished(held)


def test_they_survive_the_server(graph: Path, tmp_path: Path) -> None:
    jobs = room_of(server_settings(tmp_path), graph, tmp_path)
    job, _ = jobs.submit(volume(folder_of(tmp_path / "book", 42, 43), only=("02.png",)))
    jobs.stop()
    with running_room(graph, tmp_path) as room:
        until(lambda: room.jobs.get(job.id).state is JobState.DONE)
        assert room.jobs.get(job.id).submission.only == ("02.png",)
