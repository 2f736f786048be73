"""Whether there is room to work: shut below the free bytes asked for, or when a write said that the disk is full.

What the ledger has to write then gets the room that was set aside while there was some.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from enlarger.errors import DiskFullError, StorageError
from enlarger.jobs.failure import Failure
from enlarger.jobs.reserve import Reserve
from enlarger.messages import msg

_RETRY_S = 30.0  # after a full disk, when no room was seen to come: a quota shows none
_GREW_BYTES = 1 << 20

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def free_bytes(folder: Path) -> int:
    """What is free on the folder's disk; the nearest folder that exists counts."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


class DiskGate:
    """Open while all `folders` have `min_free_bytes` and a reserve is kept. Tests replace `free` and `clock`."""

    def __init__(
        self,
        folders: Sequence[Path],
        min_free_bytes: int,
        reserve: Reserve,
        *,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = folders
        self._min_free_bytes = min_free_bytes
        self._reserve = reserve
        self._free = free
        self._clock = clock
        self._full: tuple[float, Mapping[Path, int]] | None = None
        self.reason: Failure | None = None

    @property
    def is_open(self) -> bool:
        """As it was when last looked at."""
        return self.reason is None

    def report_full(self, reason: Failure) -> None:
        """A write found the disk full: shut until more is free than now, or some time has passed."""
        self._full = self._clock(), self._measured()
        self.reason = reason

    def look(self) -> bool:
        """Measure anew; whether there is room."""
        free = self._measured()
        short = [folder for folder, left in free.items() if left < self._min_free_bytes]
        if short:
            self.reason = _short(short[0], free[short[0]], self._min_free_bytes)
        elif self._full is None or self._has_passed(*self._full, free):
            self._full = self.reason = None
            self._keep_reserve()
        return self.is_open

    def write(self, action: Callable[[], _T]) -> _T:
        """Write to the ledger; where the disk is full, once more in the room that was set aside, and the gate shuts.

        Raises what `action` raises; DiskFullError where that was not enough either.
        """
        try:
            return action()
        except DiskFullError as error:
            if not self._reserve.spend():
                raise
            self.report_full(Failure.of(error))  # now, so that the room given up does not look like room that came
            return action()

    def _keep_reserve(self) -> None:
        try:
            self._reserve.keep()
        except DiskFullError as error:
            self.report_full(Failure.of(error))
        except StorageError as error:  # work needs other folders too, and will say what is wrong with them
            _log.warning("no room could be set aside: %s", error.text("en"))

    def _has_passed(self, since: float, then: Mapping[Path, int], now: Mapping[Path, int]) -> bool:
        grew = any(now.get(folder, 0) >= left + _GREW_BYTES for folder, left in then.items())
        return grew or self._clock() - since >= _RETRY_S

    def _measured(self) -> dict[Path, int]:
        free = {}
        for folder in self._folders:
            try:
                free[folder] = self._free(folder)
            except OSError:  # a disk that is not there cannot be measured: writing to it will say so
                continue
        return free


def _short(folder: Path, free: int, wanted: int) -> Failure:
    return Failure(
        DiskFullError.code,
        msg(
            "{folder}: {free} MB are free on this disk, and {wanted} MB are to stay free.",
            folder=folder,
            free=free // 1_000_000,
            wanted=-(-wanted // 1_000_000),
        ),
        msg("Make room: the job goes on by itself. ENLARGER_MIN_FREE_BYTES says how much is to stay free."),
    )
