"""Enlarging a book of the shelf: loose pictures without the folders below them."""

from __future__ import annotations

from job_making import folder_of
from test_v1_jobs import finished, submitted

from conftest import Service


def test_loose_pictures_are_enlarged_without_the_folders_below(service: Service) -> None:
    folder = folder_of(service.folder("loose"), 71, 72)
    folder_of(folder / "another volume", 73)
    job = finished(service, submitted(service, folder, recursive=False, packs=True))
    assert (job["state"], job["counts"]["total"], job["source"]["kind"]) == ("done", 2, "pictures")
    assert job["title"] == "loose"
    found = service.http.post(f"/v1/jobs/{job['id']}/verify").json()
    assert (found["ok"], found["sourceCompared"], found["problems"]) == (True, True, [])
    whole = finished(service, submitted(service, folder))
    assert (whole["counts"]["total"], whole["source"]["kind"]) == (3, "folder")


def test_an_archive_is_whole_in_any_case(service: Service) -> None:
    from zipfile import ZipFile

    pages = folder_of(service.folder("pages"), 74)
    path = service.folder("b.cbz")
    with ZipFile(path, "w") as archive:
        archive.write(next(pages.iterdir()), "below/1.png")
    job = finished(service, submitted(service, path, recursive=False))
    assert (job["state"], job["counts"]["total"], job["source"]["kind"]) == ("done", 1, "archive")
