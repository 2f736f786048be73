"""Alternating rounds: on a machine with neighbours, only what ran in the same minute can be compared."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from enlarger.errors import EnlargerError


class PeerError(Exception):
    """A peer is not here, or gave nothing; the message says which and why."""


@dataclass(frozen=True)
class Row:
    """Something to time. `run` gets an empty folder of its own; `px` are the input picture's pixels it enlarges.

    dtype: of the arithmetic. absent: why it cannot run here, "" when it can.
    """

    name: str
    dtype: str
    px: int
    run: Callable[[Path], object] = field(default=lambda _: None, repr=False)
    pictures: float = 1.0
    absent: str = ""


@dataclass(frozen=True)
class Timed:
    """A row with the seconds of each round; none when it is absent or failed, and then `problem` says why."""

    row: Row
    seconds: tuple[float, ...] = ()
    problem: str = ""

    @property
    def megapixels_per_s(self) -> float:
        """Of the input picture, in the median round."""
        return self.row.px / 1e6 / median(self.seconds)

    @property
    def best_megapixels_per_s(self) -> float:
        """Of the input picture, in the fastest round."""
        return self.row.px / 1e6 / min(self.seconds)


@dataclass(frozen=True)
class Ratio:
    """How many times faster one row was than another in the same round."""

    median: float
    lowest: float
    highest: float


def alternate(rows: Sequence[Row], rounds: int, say: Callable[[str], None]) -> tuple[Timed, ...]:
    """Every row once a round, each round beginning with another row. A row that fails is not run again."""
    seconds: dict[str, list[float]] = {row.name: [] for row in rows}
    problems = {row.name: row.absent for row in rows}
    for number in range(rounds):
        for row in _rotated(rows, number):
            if problems[row.name]:
                continue
            try:
                seconds[row.name].append(_time(row))
            except (EnlargerError, PeerError) as error:
                problems[row.name] = f"failed: {error}"
            else:
                say(f"  round {number + 1}  {row.name}, {row.dtype}: {row.px / 1e6 / seconds[row.name][-1]:.3f} MP/s")
    return tuple(Timed(row, () if problems[row.name] else tuple(seconds[row.name]), problems[row.name]) for row in rows)


def ratio(timed: Sequence[Timed], faster: str, slower: str) -> Ratio | None:
    """Speed of one row over another, round by round; None when either has no times."""
    by_name = {each.row.name: each for each in timed}
    over, under = by_name.get(faster), by_name.get(slower)
    if over is None or under is None or not over.seconds or not under.seconds:
        return None
    share = over.row.px / under.row.px
    found = [share * slow / fast for fast, slow in zip(over.seconds, under.seconds, strict=True)]
    return Ratio(median(found), min(found), max(found))


def _rotated(rows: Sequence[Row], number: int) -> Sequence[Row]:
    start = number % len(rows)
    return [*rows[start:], *rows[:start]]


def _time(row: Row) -> float:
    gc.collect()  # the garbage of the row before is not this row's
    with tempfile.TemporaryDirectory(prefix="enlarger-bench-", ignore_cleanup_errors=True) as folder:
        began = time.perf_counter()
        row.run(Path(folder))
        return time.perf_counter() - began
