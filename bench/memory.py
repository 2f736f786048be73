"""Peak memory of a process of its own, as the kernel counted it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import psutil

from bench.alternate import PeerError

_INTERVAL_S = 0.02


@dataclass(frozen=True)
class Spent:
    """What a command took: wall-clock seconds, and the most resident memory in bytes."""

    seconds: float
    peak_bytes: int


def spent_by(command: Sequence[str], environment: Mapping[str, str]) -> Spent:
    """Run a command to its end; raises PeerError with its last words when it fails.

    The kernel's own high-water mark (VmHWM) is read until the process ends. `getrusage` would not do: a child
    inherits in it the peak of the process that started it, which is this one.
    """
    began, peak = time.perf_counter(), 0
    with TemporaryFile() as words:  # not a pipe: a command that says much would wait for a reader
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words, env={**os.environ, **environment})
        while process.poll() is None:
            peak = max(peak, peak_bytes(process.pid))
            time.sleep(_INTERVAL_S)
        seconds = time.perf_counter() - began
        if process.returncode != 0:
            words.seek(0)
            last = " ".join(words.read().decode(errors="replace").split())[-200:]
            raise PeerError(f"exit code {process.returncode}: {last}")
    return Spent(seconds, peak)


def peak_bytes(pid: int) -> int:
    """The high-water mark of a running process; where the system keeps none (macOS), what it holds now."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    with suppress(psutil.Error):
        held = psutil.Process(pid).memory_info()
        return int(getattr(held, "peak_wset", held.rss))
    return 0
