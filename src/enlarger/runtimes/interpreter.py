"""The Python that runs child processes of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import spawn
from pathlib import Path


def interpreter() -> str:
    """The program that takes `-m`, as multiprocessing was told of it; "" where there is none.

    A frozen program is none: it would not run the module but begin again, and so would what it starts, without end.
    """
    if getattr(sys, "frozen", False):
        return ""
    return os.fsdecode(spawn.get_executable() or "")


def run_module(
    name: str, *arguments: str, timeout_s: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """One of our modules in a new process, to its end; Python itself, not a fork: no thread or handle goes along.

    `environment` is added to this process's. Raises OSError where none can be started, also for want of a Python, and
    subprocess.TimeoutExpired, with what was written until then.
    """
    python = interpreter()
    if not python:  # part of another program
        raise FileNotFoundError("no Python that could run a module")
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        # -P: nothing of the current folder, whatever was downloaded into it, is taken for a module
        [python, "-P", "-m", name, *arguments],
        env={**os.environ, **(environment or {}), "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
