"""`enlarger serve` in a process of its own, to be killed and started again over the same storage."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

_READY_S = 90
_FINAL = ("done", "partial", "failed", "cancelled")


@dataclass
class Service:
    """A server over one storage root. Every start takes a new port; `log` has what all of them said."""

    data_dir: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def cache_dir(self) -> Path:
        return self.folder / "cache"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Service:
        """The server, ready for work."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "enlarger", "serve", "--port", str(self.port), "--storage", str(self.storage)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._variables(),
                start_new_session=True,
            )
        return self

    def ready(self) -> Service:
        """Wait until a worker is there; raises TimeoutError with the server's last words."""
        self._wait_for("/readyz")
        return self

    def alive(self) -> Service:
        """Wait until it answers."""
        self._wait_for("/healthz")
        return self

    def kill(self) -> None:
        """SIGKILL to the server alone: its workers must see for themselves that it is gone."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    def workers(self) -> list[psutil.Process]:
        """The spawned worker processes, without Python's own resource tracker."""
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if "spawn_main" in " ".join(_command(child))]
        return []

    def get(self, path: str, **options: Any) -> Any:
        """The JSON at a path."""
        answer = httpx.get(self.url + path, timeout=30, **options)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **options: Any) -> Any:
        """The JSON that a POST answers."""
        answer = httpx.post(self.url + path, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    def submit(self, **body: Any) -> str:
        """A job of our own API; its id."""
        identity: str = self.post("/v1/jobs", json=body)["id"]
        return identity

    def job(self, identity: str) -> dict[str, Any]:
        value: dict[str, Any] = self.get(f"/v1/jobs/{identity}")
        return value

    def finished(self, identity: str, limit_s: float = 240) -> dict[str, Any]:
        """The job at its end."""
        for _ in _until(limit_s, f"job {identity}", self.log):
            job = self.job(identity)
            if job["state"] in _FINAL:
                return job
        raise AssertionError  # `_until` raises before

    def events(self, identity: str) -> list[dict[str, Any]]:
        """All events of a job that ended, from its numbered stream."""
        text = httpx.get(f"{self.url}/v1/jobs/{identity}/events", timeout=30).text
        return [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]

    def renders(self) -> dict[str, tuple[int, int]]:
        """Finished renders in the cache: by file name, when the file was written and which file it is."""
        facts = self.cache_dir.glob("renders/??/*.json")
        files = [file for fact in facts for file in fact.parent.glob(f"{fact.stem}.*") if file != fact]
        return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino) for file in files}

    def _wait_for(self, path: str) -> None:
        for _ in _until(_READY_S, path, self.log):
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            with suppress(httpx.TransportError):
                if httpx.get(self.url + path, timeout=5).status_code == 200:
                    return

    def _variables(self) -> dict[str, str]:
        foreign = ("ENLARGER_", "REICHAN_", "CORS_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "ENLARGER_DATA_DIR": str(self.data_dir),
            "ENLARGER_CACHE_DIR": str(self.cache_dir),
            "ENLARGER_OFFLINE": "1",
            "ENLARGER_LANGUAGE": "en",
            **self.environment,
        }


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(limit_s: float, what: str, log: Path) -> Iterator[None]:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
    raise TimeoutError(f"{what} took more than {limit_s} s: {log.read_text()[-3000:]}")
