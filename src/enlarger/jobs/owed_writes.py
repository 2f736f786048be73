"""Writes that the ledger could not take yet, for want of room: kept in memory, in order, and tried again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from enlarger.errors import JobError, StorageError
from enlarger.jobs.disk_gate import DiskGate

_MOST_TRIES = 5  # of a write that fails for a reason nobody foresaw

_log = logging.getLogger(__name__)


@dataclass
class _Write:
    action: Callable[[], object]
    about: Mapping[str, str | int]
    tries: int = 0


class OwedWrites:
    """Nothing is lost while the disk is full; the process ending is: then the pages are found in the cache."""

    def __init__(self, gate: DiskGate) -> None:
        self._gate = gate
        self._owed: deque[_Write] = deque()

    def __bool__(self) -> bool:
        return bool(self._owed)

    def write(self, action: Callable[[], object], about: Mapping[str, str | int]) -> None:
        """Do it now, or as soon as it can be done. `about` says in the log what it was about."""
        self._owed.append(_Write(action, about))
        if len(self._owed) == 1:
            self.settle()

    def settle(self) -> None:
        """Do what is owed, as far as it can be done."""
        while self._owed and self._done(self._owed[0]):
            self._owed.popleft()

    def _done(self, write: _Write) -> bool:
        write.tries += 1
        try:
            self._gate.write(write.action)
        except StorageError as error:
            if write.tries == 1:
                _log.warning("the ledger cannot be written: %s", error.text("en"), extra=dict(write.about))
            return False
        except JobError as error:  # the job was deleted, or moved on
            _log.info("not written any more: %s", error.text("en"), extra=dict(write.about))
        except Exception:  # whatever a driver may raise: the dispatcher must go on
            _log.exception("a write to the ledger failed", extra=dict(write.about))
            return write.tries >= _MOST_TRIES
        return True
