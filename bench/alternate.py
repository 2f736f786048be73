"""Alternating rounds: on a machine with neighbours, only what ran in the same minute can be compared."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from statistics import median

from enlarger.errors import EnlargerError


class PeerError(Exception):
    """A peer is not here, or gave nothing; the message says which and why."""


def _idle(_: Path) -> None:
    """What a row does that has nothing to do, or no longer."""


@dataclass(frozen=True)
class Row:
    """Something to time. `run` gets an empty folder of its own; `px` are the input picture's pixels it enlarges.

    dtype: of the arithmetic. absent: why it cannot run here, "" when it can.
    """

    name: str
    dtype: str
    px: int
    run: Callable[[Path], object] = field(default=_idle, repr=False)
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
    rounds: int


def alternate(
    rows: Sequence[Row],
    rounds: int,
    say: Callable[[str], None],
    *,
    budget_s: float = inf,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Timed, ...]:
    """Every row once a round, each round beginning with another row. A row that fails is not run again.

    After the first round, another one begins only if it should end within the budget. The rows that come back
    have let go of what they ran: a peer's network must not stay in memory until the report is written.
    """
    seconds: dict[str, list[float]] = {row.name: [] for row in rows}
    problems = {row.name: row.absent for row in rows}
    began = clock()
    for number in range(rounds):
        if number and (clock() - began) * (number + 1) / number > budget_s:
            break
        for row in _rotated(rows, number):
            if not problems[row.name]:
                problems[row.name] = _run(row, seconds[row.name], number, say)
    return tuple(_timed(row, seconds[row.name], problems[row.name]) for row in rows)


def _timed(row: Row, seconds: Sequence[float], problem: str) -> Timed:
    return Timed(replace(row, run=_idle), () if problem else tuple(seconds), problem)


def _run(row: Row, seconds: list[float], number: int, say: Callable[[str], None]) -> str:
    """Time the row once more; what went wrong, or an empty text."""
    try:
        seconds.append(_time(row))
    except (EnlargerError, PeerError) as error:
        return f"failed: {error}"
    say(f"  round {number + 1}  {row.name}, {row.dtype}: {row.px / 1e6 / seconds[-1]:.3f} MP/s")
    return ""


def ratio(timed: Sequence[Timed], faster: str, slower: str) -> Ratio | None:
    """Speed of one row over another, round by round; None when either has no times."""
    by_name = {each.row.name: each for each in timed}
    over, under = by_name.get(faster), by_name.get(slower)
    if over is None or under is None or not over.seconds or not under.seconds:
        return None
    share = over.row.px / under.row.px
    found = [share * slow / fast for fast, slow in zip(over.seconds, under.seconds, strict=True)]
    return Ratio(median(found), min(found), max(found), len(found))


def _rotated(rows: Sequence[Row], number: int) -> Sequence[Row]:
    start = number % len(rows)
    return [*rows[start:], *rows[:start]]


def _time(row: Row) -> float:
    gc.collect()  # the garbage of the row before is not this row's
    with tempfile.TemporaryDirectory(prefix="enlarger-bench-", ignore_cleanup_errors=True) as folder:
        began = time.perf_counter()
        row.run(Path(folder))
        return time.perf_counter() - began
