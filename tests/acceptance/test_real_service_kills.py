"""The server and its workers killed again and again in the middle of a job: every page once, and the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from page_files import write_pages

from bench.served import Service

pytestmark = [
    pytest.mark.weights,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="no SIGKILL"),
]
_PAGES = 60
_KILLS = 25
_JOB = {
    "path": "volume",
    "title": "Kill",
    "volume": "1",
    "model": "waifu2x-upconv7-anime",
    "scale": 2,
    "format": "png",
    "device": "openvino",
    "precision": "exact",
}


@pytest.fixture(scope="module")
def chance() -> random.Random:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def undisturbed(graphs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The artifact of a run that nobody disturbed."""
    service = _service(graphs_dir, tmp_path_factory.mktemp("undisturbed"))
    try:
        identity = service.start().ready().submit(**_JOB)
        assert service.finished(identity)["state"] == "done"
        return _members(service, identity)
    finally:
        service.stop()


@pytest.fixture
def service(graphs_dir: Path, tmp_path: Path) -> Iterator[Service]:
    service = _service(graphs_dir, tmp_path)
    yield service
    if service.process is not None and service.process.poll() is None:
        service.stop()


def _service(graphs_dir: Path, folder: Path) -> Service:
    service = Service(graphs_dir, folder)
    write_pages(service.storage / "incoming" / "volume", _PAGES, 120, 160)
    return service


def _members(service: Service, identity: str) -> dict[str, bytes]:
    path = service.storage / service.job(identity)["artifact"]["path"]
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _comparable(report: bytes) -> Any:
    """The report without what may differ: the job's id, and times."""
    return _without_times(json.loads(report))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in ("jobId", "outputDir")}
        return {key: _without_times(each) for key, each in kept.items() if "second" not in key.lower()}
    return [_without_times(each) for each in value] if isinstance(value, list) else value


def _assert_whole(service: Service, identity: str, undisturbed: dict[str, bytes]) -> None:
    """Every page once and byte-equal; the report equal but for the job's id and times; events without a gap."""
    events = service.events(identity)
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    done = [event["page"] for event in events if event["type"] == "page_done"]
    assert sorted(done) == sorted(set(done))
    assert len(done) == _PAGES
    members = _members(service, identity)
    report, expected = members.pop("artifact-report.json"), dict(undisturbed)
    assert _comparable(report) == _comparable(expected.pop("artifact-report.json"))
    assert members == expected
    digests = {item["filename"]: item["sha256"] for item in json.loads(report)["items"]}
    assert digests == {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    assert not list(service.storage.rglob(".enlarger-*"))


def test_the_server_killed_25_times(service: Service, undisturbed: dict[str, bytes], chance: random.Random) -> None:
    identity = service.start().ready().submit(**_JOB)
    stored: dict[str, tuple[int, int]] = {}
    finished_at_kill = []
    for _ in range(_KILLS):
        _more_renders(service, chance.randint(0, 3))
        time.sleep(chance.uniform(0.0, 0.3))
        finished_at_kill.append(service.job(identity)["counts"]["done"])
        service.kill()
        now = service.renders()
        assert stored.items() <= now.items()  # none was written again
        stored = now
        _gone(service)
        service.start().alive()
    assert finished_at_kill == sorted(finished_at_kill)  # what was acknowledged as done stays done
    assert service.finished(identity)["state"] == "done"
    assert stored.items() <= service.renders().items()
    _assert_whole(service, identity, undisturbed)


def _more_renders(service: Service, more: int) -> None:
    """Wait until so many more pages are in the cache: a kill now and then finds nothing, most find pages in hand."""
    deadline, enough = time.monotonic() + 60, len(service.renders()) + more
    while len(service.renders()) < min(enough, _PAGES) and time.monotonic() < deadline:
        time.sleep(0.01)


def _gone(service: Service) -> None:
    """Workers end by themselves once their server is gone."""
    mine = str(service.storage)
    for process in psutil.process_iter():
        try:
            if "spawn_main" in " ".join(process.cmdline()) and process.environ().get("ENLARGER_STORAGE_DIR") == mine:
                process.wait(10)
        except psutil.Error:
            continue


def test_its_workers_killed(service: Service, undisturbed: dict[str, bytes], chance: random.Random) -> None:
    identity = service.start().ready().submit(**_JOB)
    kills = 0
    while kills < _KILLS and service.job(identity)["state"] not in ("done", "partial", "failed"):
        _more_renders(service, chance.randint(0, 3))
        time.sleep(chance.uniform(0.0, 0.3))
        for worker in service.workers():
            worker.kill()
            kills += 1
    print(f"{kills} workers killed")
    job = service.finished(identity)
    if job["state"] == "partial":  # a page that two workers died with, alone, fails honestly: killed by us, not by it
        failed = service.get(f"/v1/jobs/{identity}/pages", params={"state": "failed"})["items"]
        assert all(page["error"]["code"] == "worker_died" for page in failed)
        service.post(f"/v1/jobs/{identity}/retry")
        assert service.finished(identity)["state"] == "done"
    _assert_whole(service, identity, undisturbed)
