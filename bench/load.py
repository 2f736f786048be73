"""A C load generator against one URL: wrk, which costs so little that the server is what is measured."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from bench.alternate import PeerError

_CONNECTIONS = 4  # a browser opens up to six to one server
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What a URL gave: answers a second, and the median time of one, in milliseconds."""

    per_s: float
    p50_ms: float


def load(url: str, seconds: int, headers: Mapping[str, str] | None = None) -> Load:
    """One run of wrk with one thread; raises PeerError where it is not installed or anything but 2xx and 3xx came."""
    if shutil.which("wrk") is None:
        raise PeerError("wrk is not installed")
    asked = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "--latency", *asked, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise PeerError(f"wrk failed: {(done.stdout + done.stderr)[-500:]}")
    return parsed(done.stdout)


def parsed(text: str) -> Load:
    """What wrk printed; raises PeerError when it is something else."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    middle = re.search(r"50%\s+([\d.]+)(us|ms|s|m)\b", text)
    if rate is None or middle is None:
        raise PeerError(f"wrk said something else: {text[-500:]}")
    return Load(float(rate[1]), float(middle[1]) * _MS[middle[2]])
