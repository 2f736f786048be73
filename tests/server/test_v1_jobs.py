"""Jobs through /v1: handed in by path and by upload, listed, looked at, steered, fetched."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fake_workers import page_file
from job_making import folder_of

from conftest import Service

PIXELS = {"tile": 32, "format": "png"}


def submitted(service: Service, folder: Path, **changes: Any) -> dict[str, Any]:
    body = {"path": str(folder.relative_to(service.room.jobs.storage.root)), **PIXELS, **changes}
    answer = service.http.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return answer.json()


def finished(service: Service, job: dict[str, Any]) -> dict[str, Any]:
    service.room.finished(job["id"])
    return service.http.get(f"/v1/jobs/{job['id']}").json()


def test_a_folder_comes_back_as_an_archive(service: Service) -> None:
    folder = folder_of(service.folder("卷一"), 30, 40, 50)
    job = submitted(service, folder, title="Berserk", volume="01")
    assert (job["source"], job["priority"]) == ({"kind": "folder", "path": "incoming/卷一"}, "volume")
    job = finished(service, job)
    assert (job["state"], job["counts"]) == ("done", {"total": 3, "done": 3, "failed": 0, "cancelled": 0})
    answer = service.http.get(job["artifact"]["url"])
    assert hashlib.sha256(answer.content).hexdigest() == job["artifact"]["sha256"] == answer.headers["etag"].strip('"')
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist()[:3] == ["01.png", "02.png", "03.png"]
    assert service.http.get(f"/v1/jobs/{job['id']}/report").json()["processed"] == 3


@pytest.mark.parametrize("sends", ["json", "form"])
def test_the_archive_is_a_comic_book_where_that_is_asked_for(service: Service, sends: str) -> None:
    if sends == "json":
        job = submitted(service, folder_of(service.folder("comic"), 30), container="cbz")
    else:
        page = page_file(service.folder("sent"), "1.png", 20)
        files = [("files", ("1.png", page.read_bytes()))]
        fields = {"container": "cbz", "tile": "32", "format": "png"}
        job = service.http.post("/v1/jobs", data=fields, files=files).json()
    assert job["container"] == "cbz"
    job = finished(service, job)
    assert job["artifact"]["path"].endswith(f"{job['id']}.cbz")
    answer = service.http.get(job["artifact"]["url"])
    assert answer.headers["content-type"] == "application/vnd.comicbook+zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_another_container_is_refused(service: Service) -> None:
    folder_of(service.folder("rar"), 30)
    assert service.http.post("/v1/jobs", json={"path": "rar", "container": "cbr"}).status_code == 422


def test_pages_are_listed_and_fetched_one_by_one(service: Service) -> None:
    job = finished(service, submitted(service, folder_of(service.folder("paged"), 40, 41, 42), packs=False))
    url = f"/v1/jobs/{job['id']}/pages"
    first = service.http.get(url, params={"limit": 2}).json()
    rest = service.http.get(url, params={"limit": 2, "after": first["next"]}).json()
    assert [page["position"] for page in first["items"] + rest["items"]] == [0, 1, 2]
    assert rest["next"] == ""
    page = service.http.get(f"{url}/1").json()
    assert page == first["items"][1]
    assert page["facts"]["recipe"]["tilePx"] == job["recipe"]["tilePx"] == 32
    assert page["facts"]["sourceSize"] == [41, 30]
    assert page["facts"]["passes"][0]["haloPx"] > 0
    picture = service.http.get(page["url"])
    assert picture.headers["content-type"] == "image/png"
    assert hashlib.sha256(picture.content).hexdigest() == page["outputSha256"]
    assert service.http.get(url, params={"state": "failed"}).json()["items"] == []
    assert service.http.get(f"{url}/7").status_code == 404
    assert service.http.get(f"/v1/jobs/{job['id']}/artifact").status_code == 409  # it packs nothing


def test_results_by_range_and_by_etag(service: Service) -> None:
    job = finished(service, submitted(service, folder_of(service.folder("ranged"), 30)))
    url, whole = job["artifact"]["url"], service.http.get(job["artifact"]["url"]).content
    tag = f'"{job["artifact"]["sha256"]}"'
    part = service.http.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert service.http.get(url, headers={"Range": "bytes=-5"}).content == whole[-5:]
    assert service.http.get(url, headers={"Range": "bytes=10-", "If-Range": '"other"'}).status_code == 200
    for nonsense in ("bytes=9-5", "lines=1-2", "bytes=", f"bytes=1-{'9' * 5000}"):
        assert service.http.get(url, headers={"Range": nonsense}).status_code == 200
    beyond = service.http.get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "bad_range")
    for known in (tag, f"W/{tag}", f'"x", {tag}', job["artifact"]["sha256"], "*"):
        same = service.http.get(url, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert service.http.head(url).headers["content-length"] == str(len(whole))


def test_an_archive_that_was_removed_is_gone(service: Service) -> None:
    job = finished(service, submitted(service, folder_of(service.folder("gone"), 30)))
    (service.room.jobs.storage.root / job["artifact"]["path"]).unlink()
    answer = service.http.get(job["artifact"]["url"])
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")


def test_pictures_are_uploaded(service: Service, tmp_path: Path) -> None:
    parts = [("files", (f"卷 1/{n}.png", page_file(tmp_path, f"{n}.png", n).read_bytes())) for n in (10, 2, 1)]
    fields = {"title": "上传", "tile": "32", "format": "png", "scale": ""}
    key = {"Idempotency-Key": str(uuid4())}
    answer = service.http.post("/v1/jobs", files=parts, data=fields, headers=key)
    assert answer.status_code == 202, answer.text
    again = service.http.post("/v1/jobs", files=parts, data=fields, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    other = service.http.post("/v1/jobs", files=parts[:2], data=fields, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    job = finished(service, answer.json())
    assert (job["state"], job["title"], job["counts"]["done"]) == ("done", "上传", 3)
    names = [page["name"] for page in service.http.get(f"/v1/jobs/{job['id']}/pages").json()["items"]]
    assert names == ["卷 1/1.png", "卷 1/2.png", "卷 1/10.png"]
    kept = {each.name for each in service.room.jobs.storage.staging.iterdir() if each.is_dir()}
    assert job["id"] in kept  # its uploads; those of the two others are gone
    assert service.http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert not (service.room.jobs.storage.staging / job["id"]).exists()


def test_an_archive_is_uploaded(service: Service, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.cbz", "w") as archive:
        archive.write(page_file(tmp_path), "1.png")
    with (tmp_path / "a.cbz").open("rb") as file:
        answer = service.http.post("/v1/jobs", files={"files": ("volume 7.cbz", file)}, data={"tile": "32"})
    job = finished(service, answer.json())
    assert (job["state"], job["title"], job["source"]["kind"]) == ("done", "volume 7", "archive")


def test_the_list_is_filtered_and_paged(service: Service) -> None:
    marks = [f"list-{n}" for n in range(3)]
    jobs = [submitted(service, folder_of(service.folder(mark), 40 + n), title=mark) for n, mark in enumerate(marks)]
    for job in jobs:
        finished(service, job)
    first = service.http.get("/v1/jobs", params={"text": "list-", "limit": 2}).json()
    rest = service.http.get("/v1/jobs", params={"text": "list-", "limit": 2, "after": first["next"]}).json()
    assert [job["title"] for job in first["items"] + rest["items"]] == marks[::-1]
    assert rest["next"] == ""
    both = service.http.get("/v1/jobs", params={"state": ["failed", "done"], "text": "list-1"}).json()
    assert [job["id"] for job in both["items"]] == [jobs[1]["id"]]
    assert service.http.get("/v1/jobs", params={"state": "asleep"}).status_code == 422


def test_a_job_is_steered(service: Service) -> None:
    job = submitted(service, folder_of(service.folder("steered"), 160, 161))
    url = f"/v1/jobs/{job['id']}"
    service.room.at_gate(job["id"], 160)
    assert service.http.delete(url).json()["code"] == "illegal_move"
    assert service.http.post(f"{url}/pause").json()["state"] == "paused"
    assert service.http.patch(f"{url}/priority", json={"priority": "ahead"}).json()["priority"] == "ahead"
    assert service.http.patch(f"{url}/priority", json={"priority": "first"}).status_code == 422
    assert service.http.post(f"{url}/resume").json()["state"] in ("queued", "running")
    assert service.http.post(f"{url}/cancel").json()["state"] == "cancelled"
    assert service.http.post(f"{url}/cancel").status_code == 409
    service.room.open(160)
    service.room.open(161)
    assert service.http.post(f"{url}/retry").json()["retries"] == 1
    assert finished(service, job)["state"] == "done"
    assert service.http.delete(url).status_code == 204
    assert service.http.get(url).status_code == 404


@pytest.mark.parametrize("path", ["../secret", "/etc", "incoming/../../x", "", "nowhere", "a\0b", "\ud800"])
def test_paths_that_lead_out_or_nowhere_are_refused(service: Service, path: str) -> None:
    answer = service.http.post(
        "/v1/jobs", content=json.dumps({"path": path}), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_does_not_validate_is_said_field_by_field(service: Service) -> None:
    answer = service.http.post("/v1/jobs", json={"path": "x", "scale": 99, "colour": "red"})
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"scale", "colour"}
    for body in (b"", b"{", b"[]", b"\xff"):
        answer = service.http.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert service.http.post("/v1/jobs", content=b"a", headers={"Content-Type": "text/csv"}).status_code == 415


def test_refusals_are_told_in_the_language_asked_for(service: Service) -> None:
    english, chinese = (
        service.http.get("/v1/jobs/none", headers={"Accept-Language": language}).json()
        for language in ("fr, en;q=0.8", "zh-CN,zh;q=0.9,en;q=0.8")
    )
    assert english["code"] == chinese["code"] == "unknown_job"
    assert english["detail"] == "There is no job none."
