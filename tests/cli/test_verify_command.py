"""`enlarger verify`: what it says, in both languages and as JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from command_running import Enlarger

from enlarger.jobs import pack
from enlarger.messages import Message
from finished_jobs import Finished, finish


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


@pytest.fixture
def finished(tmp_path: Path) -> Finished:
    return finish(tmp_path)


@pytest.fixture
def artifact(finished: Finished) -> Path:
    return finished.storage.root / pack(finished.job, finished.pages, storage=finished.storage).path


def manifest_of(folder: Path, *targets: str) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps({"files": [{"source": "x", "target": target} for target in targets]}), "utf-8")
    return path


def add(artifact: Path, name: str) -> None:
    with ZipFile(artifact, "a") as archive:
        archive.writestr(name, b"more")


def test_everything_matches(enlarger: Enlarger, finished: Finished, artifact: Path, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, "2.png", "10.png", "封面.png")
    done = enlarger("verify", artifact, "--against", finished.source, "--manifest", manifest)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{artifact}: 3 matched, 0 missing, 0 extra, 0 mismatched.\n"


def test_differences_are_told_one_a_line(enlarger: Enlarger, artifact: Path, tmp_path: Path) -> None:
    add(artifact, "more.jpg")
    done = enlarger("verify", artifact, "--manifest", manifest_of(tmp_path, "2.png", "10.png", "封面.png", "11.png"))
    assert done.code == 1
    assert done.out.splitlines() == [
        "more.jpg: is in the archive, but not in the report.",
        "11.png: the manifest names it, but it is not in the artifact.",
        f"{artifact}: 3 matched, 1 missing, 1 extra, 0 mismatched.",
    ]


def test_as_json(enlarger: Enlarger, artifact: Path) -> None:
    add(artifact, "more.jpg")
    done = enlarger("verify", artifact, "--json")
    assert done.code == 1
    assert done.json == {
        "artifact": str(artifact),
        "ok": False,
        "matched": ["2.jpg", "10.jpg", "封面.jpg"],
        "missing": [],
        "extra": ["more.jpg"],
        "mismatched": [],
        "failed": [],
        "differences": [
            {
                "kind": "extra",
                "name": "more.jpg",
                "comparedWith": "report",
                "message": "more.jpg: is in the archive, but not in the report.",
            }
        ],
    }


def test_pages_that_the_job_failed_on_are_told_beside(enlarger: Enlarger, finished: Finished) -> None:
    failed = finished.failing("2.png")
    artifact = finished.storage.root / pack(failed.job, failed.pages, storage=failed.storage).path
    done = enlarger("verify", artifact)
    assert done.code == 0
    assert "2.png: the job could not enlarge this page" in done.err
    assert done.out == f"{artifact}: 2 matched, 0 missing, 0 extra, 0 mismatched.\n"
    against = enlarger("verify", artifact, "--against", finished.source)
    assert (against.code, against.err) == (1, "")  # told once, as missing
    assert against.out.startswith("2.png: this page of the source is not in the artifact.\n")


def test_a_broken_archive_is_an_error_with_a_remedy(enlarger: Enlarger, artifact: Path) -> None:
    artifact.write_bytes(artifact.read_bytes()[:100])
    done = enlarger("verify", artifact)
    assert (done.code, done.out) == (3, "")
    assert f"Error: {artifact}: its directory is missing or damaged" in done.err
    assert "copy or download it again" in done.err
    error = enlarger("verify", artifact, "--json").json["error"]
    assert error["code"] == "bad_book"
    assert error["remedy"]


def test_in_chinese(enlarger: Enlarger, artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "zh")
    add(artifact, "more.jpg")
    lines = enlarger("verify", artifact).out.splitlines()
    told = Message("{name}: is in the archive, but not in the report.", {"name": "more.jpg"})
    assert lines[0] == told.text("zh")


def test_without_an_artifact_it_is_used_wrongly(enlarger: Enlarger) -> None:
    assert enlarger("verify").code == 2
