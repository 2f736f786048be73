"""A Python program's tasks through eight workers against one: the same pictures, in turns, all models open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from bench.alternate import PeerError
from bench.sizes import Sizes
from bench.subjects import Studio, Subject
from enlarger import Settings, UpscaleManager

WORKERS = (1, 8)
_MODEL = "cunet"
_PATIENCE_S = 600.0
_MOST_ROUNDS = 3


@dataclass(frozen=True)
class TaskFindings:
    """Seconds for the same pictures, round by round: through one worker, and through eight that share its cores."""

    pictures: int
    size: tuple[int, int]
    one_s: tuple[float, ...]
    eight_s: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times as fast eight are, in the median round."""
        return median(one / eight for one, eight in zip(self.one_s, self.eight_s, strict=True))


def measure(studio: Studio, sizes: Sizes, scratch: Path, say: Callable[[str], None]) -> TaskFindings:
    """In alternating rounds; only what is beside the workers' start is timed. Raises PeerError, EnlargerError."""
    page = studio.pages(1, sizes.page)[0]
    subjects = [studio.crop(page, index, sizes.small_page) for index in range(max(WORKERS) * 2)]
    seconds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for number in range(sizes.rounds or _MOST_ROUNDS):
        for workers in WORKERS if number % 2 == 0 else WORKERS[::-1]:
            seconds[workers].append(_timed(subjects, workers, scratch / "tasks", number))
            say(f"  {len(subjects)} tasks through {workers} workers: {seconds[workers][-1]:.2f} s")
    one, eight = (tuple(seconds[workers]) for workers in WORKERS)
    return TaskFindings(len(subjects), sizes.small_page, one, eight)


def _timed(subjects: Sequence[Subject], workers: int, folder: Path, number: int) -> float:
    """By a manager of its own, its cache empty, each worker with the model open before the clock starts."""
    UpscaleManager().cleanup()
    cache = folder / f"cache-{workers}-{number}"
    manager = UpscaleManager(Settings(data_dir=folder / "data", cache_dir=cache, workers=workers))
    try:
        for more in count(1):  # narrower than what is timed, and each time by another width: none is in the cache
            if _all_open(manager, workers):
                break
            _all_through(manager, subjects, lambda width, more=more: width + more)  # type: ignore[misc]
        began = time.perf_counter()
        _all_through(manager, subjects, lambda width: 2 * width)
        return time.perf_counter() - began
    finally:
        manager.cleanup()


def _all_open(manager: UpscaleManager, workers: int) -> bool:
    return len([state for state in manager.workers() if state.models]) == workers


def _all_through(manager: UpscaleManager, subjects: Sequence[Subject], width: Callable[[int], int]) -> None:
    tasks = [manager.add_task(each.data, _MODEL, width=width(each.size[0]), noise_level=-1) for each in subjects]
    for task in tasks:
        if not manager.wait_for_task(task, _PATIENCE_S):
            status = manager.get_task_status(task)
            raise PeerError(str(status and status["error"]))
        manager.remove_task(task)
