"""A disk that fills up in the middle of a job: it pauses and says why, and goes on by itself when there is room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from page_files import write_pages

from loud_skips import missing

pytestmark = [pytest.mark.weights, pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="mounts a small disk")]
_PAGES = 12
_NOT_ALLOWED = 77
_JOB = {
    "path": "volume",
    "model": "waifu2x-upconv7-anime",
    "scale": 2,
    "format": "png",
    "device": "openvino",
    "precision": "exact",
}
_DRIVER = """
    import json, shutil, subprocess, sys, time
    from pathlib import Path
    from bench.served import Service
    data, small, copy, job = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])
    def mount(*options):
        if subprocess.run(["mount", *options]).returncode:
            sys.exit(77)
    mount("-t", "tmpfs", "-o", "size=5500k", "tmpfs", small)
    shutil.copytree(copy / "volume", small / "storage" / "incoming" / "volume")
    service = Service(data, small, {"ENLARGER_MIN_FREE_BYTES": "0"})
    service.start().ready()
    try:
        identity = service.submit(**job)
        deadline = time.monotonic() + 120
        while (full := service.job(identity))["state"] not in ("paused", "done", "failed"):
            assert time.monotonic() < deadline, full
            time.sleep(0.1)
        health = service.get("/healthz")
        mount("-o", "remount,size=64m", small)
        done = service.finished(identity)
        types = [event["type"] for event in service.events(identity)]
        shutil.copy(service.storage / done["artifact"]["path"], copy / "artifact.zip")
        names = [path.name for path in small.rglob(".enlarger-*")]
        print(json.dumps({"full": full, "done": done, "types": types, "health": health, "left": names}))
    finally:
        service.stop()
"""


def test_a_job_pauses_on_a_full_disk_and_goes_on(graphs_dir: Path, tmp_path: Path) -> None:
    if not shutil.which("unshare"):
        missing("unshare, by which a small disk is mounted,")
    write_pages(tmp_path / "volume", _PAGES, 180, 240)
    small = tmp_path / "small"
    small.mkdir()
    driver = [sys.executable, "-c", textwrap.dedent(_DRIVER), str(graphs_dir), str(small), str(tmp_path)]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *driver, json.dumps(_JOB)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=280,
        check=False,
    )
    if done.returncode == _NOT_ALLOWED or "unshare:" in done.stderr:
        missing("the right to mount a small disk")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["full"]["state"] == "paused"
    assert seen["full"]["reason"]["code"] == "disk_full"
    assert 0 < seen["full"]["counts"]["done"] < _PAGES
    assert seen["done"]["state"] == "done"
    assert "paused" in seen["types"]
    assert "resumed" in seen["types"]
    assert seen["types"].count("page_done") == _PAGES
    assert seen["left"] == []
    with zipfile.ZipFile(tmp_path / "artifact.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == _PAGES + 1
