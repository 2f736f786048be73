"""Only the pictures that lie in a folder directly: listed, read, packed and verified without those below."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from fake_workers import recipe

from enlarger.books import Book
from enlarger.jobs import JobSource, Submission, pack, verify
from enlarger.jobs.listing import list_pages
from enlarger.jobs.page_sources import PageSources
from finished_jobs import VOLUME, Finished, finish

BELOW = {"below/1.png": b"of another volume", "below/ComicInfo.xml": b"<ComicInfo/>"}


@pytest.fixture
def direct(tmp_path: Path) -> Finished:
    """A finished job over the pictures of a folder that has another volume below."""
    made = finish(tmp_path, kind="pictures")
    for name, data in BELOW.items():
        (made.source / name).parent.mkdir(exist_ok=True)
        (made.source / name).write_bytes(data)
    return made


def packed(finished: Finished) -> Path:
    return finished.storage.root / pack(finished.job, finished.pages, storage=finished.storage).path


def test_only_what_lies_in_the_folder_is_listed(direct: Finished) -> None:
    def listed(kind: str) -> list[str]:
        return [page.name for page in list_pages(Submission(JobSource(kind, direct.source), recipe()))]  # type: ignore[arg-type]

    assert listed("pictures") == ["2.png", "10.png", "封面.png"]
    assert listed("folder") == ["2.png", "10.png", "below/1.png", "封面.png"]


def test_the_artifact_holds_nothing_of_the_folders_below_and_says_so(direct: Finished) -> None:
    with ZipFile(packed(direct)) as archive:
        names = set(archive.namelist())
        report = json.loads(archive.read("artifact-report.json"))
    assert names == {"2.jpg", "10.jpg", "封面.jpg", "ComicInfo.xml", "credits.txt", "artifact-report.json"}
    assert report["selection"] == "direct"


def test_it_is_verified_against_what_lies_in_the_folder(direct: Finished) -> None:
    artifact = packed(direct)
    assert verify(artifact, against=direct.source).ok
    (direct.source / "11.png").write_bytes(b"came later")
    assert verify(artifact, against=direct.source).missing == ("11.png",)


def test_pages_asked_for_by_name_are_verified_and_no_others(tmp_path: Path) -> None:
    made = finish(tmp_path, only=("2.png", "封面.png"))
    some = Finished(made.job, [page for page in made.pages if page.name in made.job.submission.only], made.storage)
    artifact = packed(some)
    found = verify(artifact, against=made.source)
    assert (found.ok, found.matched) == (True, ("2.jpg", "封面.jpg"))
    (made.source / "2.png").write_bytes(b"another page")
    (made.source / "封面.png").unlink()
    found = verify(artifact, against=made.source)
    assert (found.mismatched, found.extra, found.missing) == (("2.png",), ("封面.png",), ())


def test_a_report_of_before_is_one_of_all_pages(tmp_path: Path) -> None:
    made = finish(tmp_path)
    artifact = packed(made)
    with ZipFile(artifact) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    report = json.loads(members["artifact-report.json"])
    assert report.pop("selection") == "all"
    with ZipFile(artifact, "w") as archive:
        for name, data in {**members, "artifact-report.json": json.dumps(report).encode()}.items():
            archive.writestr(name, data)
    assert verify(artifact, against=made.source).ok


def test_a_page_of_the_folder_itself_costs_no_walk_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from enlarger.jobs import page_sources

    opened: list[bool] = []
    open_book = page_sources.open_book

    def noted(path: Path, *, recursive: bool, **how: object) -> Book:
        opened.append(recursive)
        return open_book(path, recursive=recursive)

    monkeypatch.setattr(page_sources, "open_book", noted)
    made = finish(tmp_path, {**VOLUME, **BELOW})
    source, pages = JobSource("folder", made.source), PageSources()
    for name in ("2.png", "10.png", "below/1.png", "封面.png", "below/1.png"):
        assert pages.page(source, name).read() == {**VOLUME, **BELOW}[name]
    assert opened == [False, True]
    pages.close()
