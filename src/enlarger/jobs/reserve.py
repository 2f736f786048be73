"""Room set aside for the ledger: on a disk full to its last byte not even "paused: the disk is full" could be kept."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from enlarger.storage import remove, write_atomic

RESERVE_BYTES = 1 << 20  # the results in hand, and the pauses of some thirty jobs


class Reserve:
    """A file of no use that gives its room up when it is needed. Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_kept = False

    def keep(self) -> None:
        """Set the room aside, unless it is; raises DiskFullError where there is none, StorageError."""
        if not self._is_kept and not self._lies_there():
            write_atomic(self._path, os.urandom(RESERVE_BYTES))  # zeros take no room on disks that compress
        self._is_kept = True

    def spend(self) -> bool:
        """Give the room up; whether there was any."""
        is_spent = self._lies_there()
        with suppress(OSError):
            remove(self._path)
        self._is_kept = False
        return is_spent

    def _lies_there(self) -> bool:
        try:
            return self._path.stat().st_size == RESERVE_BYTES
        except OSError:
            return False
