"""An artifact is whole or absent, holds what was finished and what lay beside it, and is the same every time."""

from __future__ import annotations

import json
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest

from enlarger.errors import ArtifactError, CancelledError
from enlarger.jobs import Artifact, Page, PageState, comparable, pack
from enlarger.jobs.storage_root import StorageRoot
from enlarger.storage import TEMPORARY_PREFIX
from finished_jobs import COMIC_INFO, JOB_ID, VOLUME, Finished, finish, sha256

NAME = f"my-manga-第1卷-{JOB_ID}"


def packed(finished: Finished, **more: Any) -> Artifact:
    return pack(finished.job, finished.pages, storage=finished.storage, **more)


def contents(finished: Finished, artifact: Artifact) -> dict[str, bytes]:
    with ZipFile(finished.storage.root / artifact.path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def report_in(finished: Finished, artifact: Artifact) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(contents(finished, artifact)["artifact-report.json"])
    return report


def nothing_left(storage: StorageRoot) -> bool:
    return not list(storage.artifacts.iterdir())


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_pages_in_reading_order_then_what_lay_beside_them_then_the_report(tmp_path: Path, source: str) -> None:
    finished = finish(tmp_path, packed=source == "archive")
    artifact = packed(finished)
    assert artifact.path == f"artifacts/{NAME}.zip"
    members = contents(finished, artifact)
    assert list(members) == ["2.jpg", "10.jpg", "封面.jpg", "ComicInfo.xml", "credits.txt", "artifact-report.json"]
    assert members["2.jpg"] == b"larger page two"
    assert members["credits.txt"] == VOLUME["credits.txt"]


def test_the_digest_and_size_are_the_file_s(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    artifact = packed(finished)
    data = (finished.storage.root / artifact.path).read_bytes()
    assert (artifact.sha256, artifact.bytes) == (sha256(data), len(data))


def test_everything_is_stored_with_one_date(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    with ZipFile(finished.storage.root / packed(finished).path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_packed_again_it_is_the_same_file(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    first = packed(finished)
    again = replace(finished, job=replace(finished.job, retries=2, artifact=first), pages=finished.pages[::-1])
    assert packed(again) == first
    assert [path.name for path in finished.storage.artifacts.iterdir()] == [f"{NAME}.zip"]


def test_a_cbz_where_that_was_asked_for(tmp_path: Path) -> None:
    assert packed(finish(tmp_path, params={"container": "cbz"})).path == f"artifacts/{NAME}.cbz"


def test_folders_are_kept(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"ch 2/1.png": b"b", "ch 10/1.png": b"c", "ch 2/notes.txt": b"n"})
    members = list(contents(finished, packed(finished)))
    assert members == ["ch 2/1.jpg", "ch 10/1.jpg", "ch 2/notes.txt", "artifact-report.json"]


def test_comic_info_states_the_new_sizes(tmp_path: Path) -> None:
    finished = finish(tmp_path)  # Image="1" is 10.png, the second in reading order
    artifact = packed(finished)
    data = contents(finished, artifact)["ComicInfo.xml"]
    assert b'Image="1" ImageWidth="80" ImageHeight="100"' in data
    assert {"filename": "ComicInfo.xml", "sha256": sha256(data), "bytes": len(data)} in report_in(finished, artifact)[
        "extras"
    ]
    failed = finished.failing("10.png")
    assert contents(failed, packed(failed))["ComicInfo.xml"] == COMIC_INFO


def test_the_client_s_manifest_is_no_page_and_stays_with_the_source(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"0001.png": b"a", "manifest.json": b'{"files":[]}'})
    artifact = packed(finished)
    assert list(contents(finished, artifact)) == ["0001.jpg", "artifact-report.json"]
    assert [item["filename"] for item in report_in(finished, artifact)["items"]] == ["0001.jpg"]


def test_an_artifact_as_source_gets_a_report_of_its_own(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"1.png": b"a", "artifact-report.json": b"old"}, packed=True)
    assert report_in(finished, packed(finished))["jobId"] == JOB_ID


def test_the_report_accounts_for_every_member(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    artifact = packed(finished)
    members, report = contents(finished, artifact), report_in(finished, artifact)
    told = {file["filename"]: (file["sha256"], file["bytes"]) for file in [*report["items"], *report["extras"]]}
    del members["artifact-report.json"]
    assert told == {name: (sha256(data), len(data)) for name, data in members.items()}
    assert report["outputDir"] == f"outputs/my-manga/第1卷/{JOB_ID}"


def test_a_failed_page_is_left_out(tmp_path: Path) -> None:
    finished = finish(tmp_path).failing("10.png")
    artifact = packed(finished)
    assert "10.jpg" not in contents(finished, artifact)
    assert report_in(finished, artifact)["summary"] == {"processed": 2, "failed": 1}


# ---- what lay beside the pages and cannot come along ----


def test_a_source_that_is_gone_costs_only_what_lay_beside_the_pages(tmp_path: Path) -> None:
    finished = finish(tmp_path, packed=True)
    finished.source.unlink()
    artifact = packed(finished)
    assert list(contents(finished, artifact)) == ["2.jpg", "10.jpg", "封面.jpg", "artifact-report.json"]
    notes = report_in(finished, artifact)["notes"]
    assert len(notes) == 1
    assert notes[0].startswith("volume.cbz: ")


def test_a_damaged_extra_is_noted_and_left_out(tmp_path: Path) -> None:
    finished = finish(tmp_path, packed=True)
    data = bytearray(finished.source.read_bytes())
    at = data.index(VOLUME["credits.txt"])
    data[at] ^= 1
    finished.source.write_bytes(data)
    artifact = packed(finished)
    assert "credits.txt" not in contents(finished, artifact)
    assert "credits.txt is damaged" in report_in(finished, artifact)["notes"][0]


def test_archives_within_a_folder_stay_where_they_are(tmp_path: Path) -> None:
    members = {"1.png": b"a", "inner.cbz": b"PK\x03\x04"}
    folder, archive = finish(tmp_path / "folder", members), finish(tmp_path / "archive", members, packed=True)
    artifact = packed(folder)
    assert "inner.cbz" not in contents(folder, artifact)
    assert "inner.cbz" in report_in(folder, artifact)["notes"][0]
    assert "inner.cbz" in contents(archive, packed(archive))


# ---- whole or absent ----


@pytest.mark.parametrize("harm", ["changed", "longer", "shorter", "gone"])
def test_pages_that_are_not_as_they_were_finished_are_all_named(tmp_path: Path, harm: str) -> None:
    finished = finish(tmp_path)
    for name in ("2.png", "封面.png"):
        path = finished.output(name)
        data = path.read_bytes()
        changed = {"changed": b"X" + data[1:], "longer": data + b"x" * 5_000_000, "shorter": data[:-1]}
        path.unlink() if harm == "gone" else path.write_bytes(changed[harm])
    with pytest.raises(ArtifactError, match=r"2\.png, 封面\.png") as caught:
        packed(finished)
    assert caught.value.pages == ("2.png", "封面.png")
    assert caught.value.remedy
    assert nothing_left(finished.storage)


def test_an_earlier_artifact_stays_when_packing_fails(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    first = packed(finished)
    finished.output("2.png").unlink()
    with pytest.raises(ArtifactError):
        packed(finished)
    assert sha256((finished.storage.root / first.path).read_bytes()) == first.sha256


def test_many_spoilt_pages_are_counted(tmp_path: Path) -> None:
    finished = finish(tmp_path, {f"{number}.png": b"%d" % number for number in range(9)})
    for page in finished.pages:
        finished.output(page.name).unlink()
    with pytest.raises(ArtifactError, match="and 4 more") as caught:
        packed(finished)
    assert len(caught.value.pages) == 9


def test_what_killed_packers_left_is_deleted(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    mine = finished.storage.artifacts / f"{TEMPORARY_PREFIX}{JOB_ID}-0-dead.zip"
    another = finished.storage.artifacts / f"{TEMPORARY_PREFIX}another-0-busy.zip"
    mine.touch()
    another.touch()
    packed(finished)
    assert (mine.exists(), another.exists()) == (False, True)


def test_the_temporary_name_carries_job_and_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = finish(tmp_path)
    seen: set[str] = set()

    class Watched(StorageRoot):
        def output_path(self, job: Any, page: Page) -> Path:
            seen.update(path.name for path in self.artifacts.iterdir())
            return super().output_path(job, page)

    pack(replace(finished.job, retries=3), finished.pages, storage=Watched(finished.storage.root))
    assert [name.startswith(f"{TEMPORARY_PREFIX}{JOB_ID}-3-") for name in seen] == [True]


def test_cancelled_it_leaves_nothing(tmp_path: Path) -> None:
    finished, cancel = finish(tmp_path), threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        packed(finished, cancel=cancel)
    assert nothing_left(finished.storage)


def test_memory_does_not_grow_with_pages_or_extras(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"1.png": bytes(40 << 20), "film.bin": bytes(40 << 20)})
    tracemalloc.start()
    artifact = packed(finished)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
    assert artifact.bytes > 80 << 20


def test_reports_of_two_jobs_over_the_same_pages_are_alike(tmp_path: Path) -> None:
    first, second = finish(tmp_path / "1"), finish(tmp_path / "2", job_id="another")
    reports = [report_in(finished, packed(finished)) for finished in (first, second)]
    assert comparable(reports[0]) == comparable(reports[1])


def test_a_page_on_its_way_again_is_not_packed(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    finished.pages[0] = replace(finished.pages[0], state=PageState.RUNNING)
    assert "10.jpg" not in contents(finished, packed(finished))
