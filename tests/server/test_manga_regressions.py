"""What was broken in the original manga service, over HTTP, real jobs and real workers with the fake runtime."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from counting_workers import CountingRuntime
from fake_workers import make_graph, page_file
from job_making import Room, room_of, running_room, server_settings
from loopback import served
from PIL import Image, ImageCms

from enlarger.jobs import Crew, Jobs, JobState, WorkerSetup
from enlarger.server.manga import build

PATIENCE_S = 60.0


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, graph: Path) -> Iterator[Room]:
    """One server and one worker for all tests that need not restart them; each has a volume of its own."""
    with running_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture(scope="module")
def client(room: Room) -> Iterator[httpx.Client]:
    with serving(room.jobs) as client:
        yield client


@pytest.fixture
def vol(room: Room, request: pytest.FixtureRequest) -> Path:
    """The test's own folder in incoming/."""
    folder = room.jobs.storage.incoming / request.node.name
    folder.mkdir()
    return folder


@contextmanager
def serving(jobs: Jobs) -> Iterator[httpx.Client]:
    with served(jobs, build) as url, httpx.Client(base_url=url, headers={"Accept-Language": "en"}) as client:
        yield client


def submit(client: httpx.Client, path: Path, **changes: Any) -> str:
    kind = "zip" if path.suffix == ".zip" else "folder"
    source = {"type": kind, "path": path.name}
    answer = client.post("/jobs", json={"title": "Rei", "volume": "1", "input": source, **changes})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


def state(client: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """As the original's client does: ask until SUCCESS or FAILED."""
    end = time.monotonic() + PATIENCE_S
    while (now := state(client, job_id))["status"] not in ("SUCCESS", "FAILED"):
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


def artifact(client: httpx.Client, job_id: str) -> zipfile.ZipFile:
    answer = client.get(f"/jobs/{job_id}/artifact")
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def report(client: httpx.Client, job_id: str) -> dict[str, Any]:
    return dict(json.loads(artifact(client, job_id).read("artifact-report.json")))


def incoming(tmp_path: Path, name: str = "vol") -> Path:
    return tmp_path / "storage" / "incoming" / name


# ---- jobs lived in memory only: a restart lost them all ----


def test_a_restart_keeps_finished_and_unfinished_jobs(tmp_path: Path, graph: Path) -> None:
    with running_room(graph, tmp_path) as room, serving(room.jobs) as client:
        done = submit(client, page_file(incoming(tmp_path, "done")).parent)
        before = ended(client, done)
        page_file(incoming(tmp_path), "1.png", 1)
        page_file(incoming(tmp_path), "2.png", 2, width=90)  # held at its gate
        halfway = submit(client, incoming(tmp_path))
        room.at_gate(halfway, 90)
    with running_room(graph, tmp_path) as room, serving(room.jobs) as client:
        assert state(client, done) == before
        assert artifact(client, done).testzip() is None
        room.open(90)
        assert ended(client, halfway)["status"] == "SUCCESS"


# ---- a cancelled job later turned SUCCESS ----


def test_a_cancelled_job_never_turns_success(client: httpx.Client, room: Room, vol: Path) -> None:
    page_file(vol, "1.png", width=90)
    job_id = submit(client, vol)
    room.at_gate(job_id, 90)
    cancelled = client.post(f"/jobs/{job_id}/cancel").json()
    room.open(90)
    other = submit(client, page_file(vol.with_name("other")).parent)
    assert ended(client, other)["status"] == "SUCCESS"  # so the worker has let go of the cancelled page
    assert state(client, job_id) == cancelled
    assert (cancelled["status"], cancelled["message"]) == ("FAILED", "Cancelled by user")
    assert client.get(f"/jobs/{job_id}/artifact").status_code == 409


# ---- resume began again at page 1 ----


def test_resume_goes_on_where_the_job_stopped(client: httpx.Client, room: Room, vol: Path) -> None:
    widths = [50, 52, 92]
    for number, width in enumerate(widths):
        page_file(vol, f"{number}.png", number, width)
    job_id = submit(client, vol)
    room.at_gate(job_id, 92)
    while state(client, job_id)["processed"] < 2:
        time.sleep(0.02)
    client.post(f"/jobs/{job_id}/cancel")
    room.open(92)
    resumed = client.post(f"/jobs/{job_id}/resume").json()
    assert (resumed["status"], resumed["processed"], resumed["retries"]) == ("PENDING", 2, 1)
    assert ended(client, job_id)["processed"] == 3
    assert [room.computed(width) for width in widths[:2]] == [1, 1]


# ---- one bad page failed the volume ----


def test_one_bad_page_does_not_fail_the_volume(client: httpx.Client, vol: Path) -> None:
    page_file(vol, "1.png", 1)
    (vol / "2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    page_file(vol, "3.png", 3)
    job_id = submit(client, vol)
    now = ended(client, job_id)
    assert (now["status"], now["processed"], now["total"]) == ("SUCCESS", 3, 3)
    assert now["message"].startswith("1 of 3 pages failed")
    assert artifact(client, job_id).namelist() == ["1.jpg", "3.jpg", "artifact-report.json"]
    assert report(client, job_id)["summary"] == {"processed": 2, "failed": 1}


# ---- two files with one stem overwrote each other ----


def test_files_with_one_stem_keep_apart(client: httpx.Client, vol: Path) -> None:
    for number, (folder, name) in enumerate([(vol, "a.png"), (vol, "a.webp"), (vol / "sub", "a.png")]):
        page_file(folder, name, number)
    job_id = submit(client, vol)
    assert ended(client, job_id)["total"] == 3
    names = [name for name in artifact(client, job_id).namelist() if name != "artifact-report.json"]
    assert sorted(names) == ["a.png.jpg", "a.webp.jpg", "sub/a.jpg"]
    assert sorted(item["filename"] for item in report(client, job_id)["items"]) == sorted(names)


# ---- the model was loaded again for every job ----


def test_the_model_is_loaded_once_over_jobs(tmp_path: Path, graph: Path) -> None:
    settings, log = server_settings(tmp_path), tmp_path / "opened"
    setup = WorkerSetup(settings, "counting_workers:make_enhancer", {"graph": str(graph), "log": str(log)})
    with Jobs(settings, crew=Crew(setup)) as jobs, serving(jobs) as client:
        for number in range(3):
            folder = incoming(tmp_path, f"vol{number}")
            page_file(folder, "1.png", number)
            assert ended(client, submit(client, folder))["status"] == "SUCCESS"
    opened = log.read_text().splitlines()
    assert opened
    assert len(opened) == len(set(opened))
    assert CountingRuntime.__name__  # imported here so that a worker that cannot import it fails this file


# ---- metadata and colour profile were lost ----


def test_metadata_and_profile_are_kept(client: httpx.Client, vol: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010E] = "Rei-chan"
    drawn = Image.effect_noise((40, 50), 60).convert("RGB")
    drawn.save(vol / "1.jpg", icc_profile=profile, exif=exif, dpi=(300, 300))
    job_id = submit(client, vol)
    assert ended(client, job_id)["status"] == "SUCCESS"
    with Image.open(io.BytesIO(artifact(client, job_id).read("1.jpg"))) as page:
        assert page.size == (80, 100)
        assert page.info["icc_profile"] == profile
        assert page.getexif()[0x010E] == "Rei-chan"
        assert page.info["dpi"] == (300, 300)


# ---- total began as a made-up number ----


def test_total_is_zero_until_the_input_is_listed(tmp_path: Path, graph: Path) -> None:
    for number in range(3):
        page_file(incoming(tmp_path), f"{number}.png", number)
    jobs = room_of(server_settings(tmp_path), graph, tmp_path)
    try:
        with serving(jobs) as client:
            job_id = submit(client, incoming(tmp_path))
            assert (state(client, job_id)["status"], state(client, job_id)["total"]) == ("PENDING", 0)
            jobs.start()
            assert ended(client, job_id)["total"] == 3
    finally:
        jobs.stop(grace_s=0.0)


# ---- no list, no delete, no retention ----


def test_jobs_are_listed_and_deleted_with_their_files(client: httpx.Client, room: Room, vol: Path) -> None:
    page_file(vol)
    made = [submit(client, vol, title=title) for title in ("first", "second")]
    for job_id in made:
        ended(client, job_id)
    assert [job["jobId"] for job in client.get("/jobs").json()["jobs"]][:2] == made[::-1]
    assert client.delete(f"/jobs/{made[0]}").status_code == 204
    listed = [job["jobId"] for job in client.get("/jobs").json()["jobs"]]
    assert (listed[0], made[0] in listed) == (made[1], False)
    left = [path.name for path in (*room.jobs.storage.artifacts.iterdir(), *room.jobs.storage.outputs.rglob("*"))]
    assert not any(made[0] in name for name in left)
    assert any(made[1] in name for name in left)


def test_finished_jobs_are_not_kept_for_ever(tmp_path: Path, graph: Path) -> None:
    with running_room(graph, tmp_path) as room, serving(room.jobs) as client:
        job_id = submit(client, page_file(incoming(tmp_path)).parent)
        ended(client, job_id)
    with running_room(graph, tmp_path, keep_jobs_bytes=1) as room, serving(room.jobs) as client:
        end = time.monotonic() + PATIENCE_S
        while client.get(f"/jobs/{job_id}").status_code != 404:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert list(room.jobs.storage.artifacts.iterdir()) == []


# ---- zip bombs were not limited ----


def test_a_zip_bomb_is_refused_and_costs_nothing(client: httpx.Client, room: Room) -> None:
    root = room.jobs.storage.root
    path = root / "incoming" / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("1.png", bytes(300 * 1000**2))
    now = ended(client, submit(client, path))
    assert now["status"] == "FAILED"
    assert now["lastError"] == now["message"]
    assert now["message"]
    assert all(each.stat().st_size < 10 * 1000**2 for each in root.rglob("*"))


# ---- pages sorted as plain text ----


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_pages_are_in_natural_order(kind: str, client: httpx.Client, vol: Path) -> None:
    names = ["1.png", "2.png", "10.png", "11.png"]
    for number, name in enumerate(reversed(names)):
        page_file(vol, name, number)
    (vol / "manifest.json").write_text('{"version": 1, "files": []}')
    source = vol if kind == "folder" else _zipped(vol, sorted([*names, "manifest.json"]))
    job_id = submit(client, source)
    assert ended(client, job_id)["total"] == len(names)
    in_order = [name.replace(".png", ".jpg") for name in names]
    assert artifact(client, job_id).namelist() == [*in_order, "artifact-report.json"]
    assert [item["filename"] for item in report(client, job_id)["items"]] == in_order


def _zipped(folder: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(folder / "book.zip", "w") as book:
        for name in names:
            book.write(folder / name, name)
    return (folder / "book.zip").rename(folder.with_suffix(".zip"))


# ---- what cannot be done is said, and can be mended ----


def test_a_source_that_is_missing_fails_and_resumes_when_it_came(client: httpx.Client, vol: Path) -> None:
    late = vol.with_name("late")
    job_id = submit(client, late)
    failed = ended(client, job_id)
    assert (failed["status"], failed["total"]) == ("FAILED", 0)
    assert "late" in failed["message"]
    page_file(late)
    client.post(f"/jobs/{job_id}/resume")
    now = ended(client, job_id)
    assert (now["status"], now["retries"], now["lastError"]) == ("SUCCESS", 1, None)


def test_a_partial_job_is_mended_by_resume(client: httpx.Client, room: Room, vol: Path) -> None:
    page_file(vol, "1.png", 1)
    (vol / "2.png").write_bytes(b"broken")
    job_id = submit(client, vol)
    first = ended(client, job_id)
    page_file(vol, "2.png", 2)
    client.post(f"/jobs/{job_id}/resume")
    now = ended(client, job_id)
    assert (now["status"], now["message"], now["processed"]) == ("SUCCESS", None, 2)
    assert now["artifactHash"] != first["artifactHash"]
    assert room.jobs.get(job_id).state is JobState.DONE
