"""A server under plain uvicorn stops when it is told to, though somebody listens and has nothing to hear."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fake_workers import page_file

_COMMAND = [sys.executable, "-m", "uvicorn", "enlarger.server:create_app", "--factory", "--port", "0"]


@contextmanager
def process(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process, where no disk has room enough, so that jobs wait; and its URL."""
    settings = {"STORAGE_DIR": root / "storage", "DATA_DIR": root / "data", "CACHE_DIR": root / "cache"}
    settings |= {"OFFLINE": "1", "MIN_FREE_BYTES": 1 << 60}
    environment = {**os.environ, **{f"ENLARGER_{name}": str(value) for name, value in settings.items()}}
    with subprocess.Popen(_COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stderr is not None
            lines = iter(started.stderr)
            yield started, next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        finally:
            started.kill()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_listeners_do_not_keep_it_open(tmp_path: Path) -> None:
    with process(tmp_path) as (server, url):
        page_file(tmp_path / "storage" / "incoming" / "v")
        job = httpx.post(f"{url}/v1/jobs", json={"path": "v"}, timeout=60).json()["id"]
        with httpx.stream("GET", f"{url}/v1/jobs/{job}/events", timeout=60) as stream:
            heard = stream.iter_lines()
            assert next(heard) == "id: 1"
            server.send_signal(signal.SIGTERM)
            assert len(list(heard)) > 0  # the stream ended in good order
        assert server.wait(60) in (0, -signal.SIGTERM)
