"""`enlarger serve` in a process of its own, on a free port, over folders of the test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 90
STOP_S = 60


@dataclass
class RunningServer:
    """A server process. `log` is what it wrote to stderr."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def urls(self) -> list[str]:
        """Its addresses; waits until it is ready."""
        deadline = time.monotonic() + START_S
        while "Stop it with Ctrl-C" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return re.findall(r"serves at (http://[^\s\"]+)", self.said)

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def port(self) -> int:
        return int(re.findall(r":(\d+)", self.url)[0])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S)


@contextmanager
def running(
    folder: Path, *options: str, program: Sequence[str] = ("-m", "enlarger"), port: int = 0, **variables: str
) -> Iterator[RunningServer]:
    """A server over `folder`, killed at the end of the block where it did not end before."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *program, "serve", "--port", str(port), "--storage", str(folder / "storage"), *options]
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, env=environment(folder, variables), cwd=folder)
    try:
        yield RunningServer(process, log)
    finally:
        process.kill()
        process.wait()


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ENLARGER_", "REICHAN_"))}
    own = {
        "ENLARGER_DATA_DIR": str(folder / "data"),
        "ENLARGER_CACHE_DIR": str(folder / "cache"),
        "ENLARGER_OFFLINE": "1",
        "ENLARGER_LANGUAGE": "en",
        "PYTHONIOENCODING": "utf-8",
    }
    return kept | own | variables
