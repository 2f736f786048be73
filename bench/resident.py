"""A model that stays against a process for every picture: the first, a warm one, and all of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.child import Child
from bench.memory import spent_by
from bench.subjects import Subject

_WORKER = "bench.resident_worker"


@dataclass(frozen=True)
class Series:
    """Seconds from a picture's file to its enlarged file, one picture after the other; peak memory in bytes."""

    seconds: tuple[float, ...]
    peak_bytes: int

    @property
    def first_s(self) -> float:
        """With nothing prepared: the process, the graph, calibration and compiling are in it."""
        return self.seconds[0]

    @property
    def warm_s(self) -> float:
        """The median of the others."""
        return median(self.seconds[1:])

    @property
    def total_s(self) -> float:
        """All pictures."""
        return sum(self.seconds)


@dataclass(frozen=True)
class Residence:
    """Both ways over the same pictures, taking turns."""

    pictures: int
    size: tuple[int, int]
    resident: Series
    processes: Series


def compare(subjects: Sequence[Subject], scratch: Path, say: Callable[[str], None]) -> Residence:
    """Both ways with folders of their own, so that each pays for everything once; raises PeerError."""
    say(f"resident against a new process for each of {len(subjects)} pictures")
    resident, processes, peak = [], [], 0
    began = time.perf_counter()  # the resident process's start is part of its first picture
    with Child(_WORKER, environment=folders_of(scratch / "resident")) as worker:
        for subject in subjects:
            worker.ask(str(subject.path))
            resident.append(time.perf_counter() - began)
            spent = spent_by(command(subject.path, scratch / f"{subject.name}.webp"), folders_of(scratch / "new"))
            processes.append(spent.seconds)
            peak = max(peak, spent.peak_bytes)
            say(f"  {subject.name}: resident {resident[-1]:.2f} s, new process {spent.seconds:.2f} s")
            began = time.perf_counter()
        held = worker.peak_bytes()
    both = Series(tuple(resident), held), Series(tuple(processes), peak)
    return Residence(len(subjects), subjects[0].size, *both)


def command(picture: Path, target: Path, *options: str) -> list[str]:
    """The command that enlarges one picture, by default 2x with the default model."""
    return [sys.executable, "-m", "enlarger", "upscale", str(picture), "-o", str(target), *options]


def folders_of(folder: Path) -> dict[str, str]:
    """Settings that keep a process's data and cache in `folder`."""
    return {"ENLARGER_DATA_DIR": str(folder / "data"), "ENLARGER_CACHE_DIR": str(folder / "cache")}
