"""Small files that were asked for lately, kept open: what the system has in memory is read at once, without a thread.

A hop to a thread and back costs more than the reading itself. Only Linux can say "not now" instead of waiting for the
disk (`RWF_NOWAIT`); elsewhere nothing is kept, and nothing found.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

_MOST = 32  # a deleted one keeps its room on the disk until it is asked for again, or pushed out
_NOW: int = getattr(os, "RWF_NOWAIT", 0)


class HotFiles:
    """Open files by key. For one event loop; never waits for the disk."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[int, int]] = OrderedDict()  # descriptor, and when its names last changed

    def __len__(self) -> int:
        return len(self._open)

    def __del__(self) -> None:
        for descriptor, _ in self._open.values():
            _close(descriptor)

    def read(self, key: str, part: range, is_still: Callable[[os.stat_result], bool]) -> bytearray | None:
        """That part of the file; None where it is not kept, is not the same any more, or has to be waited for."""
        descriptor, changed_ns = self._open.get(key, (None, 0))
        if descriptor is None:
            return None
        found = os.fstat(descriptor)
        if found.st_ctime_ns != changed_ns or not is_still(found):  # written, moved or deleted
            self.drop(key)
            return None
        self._open.move_to_end(key)
        data = bytearray(len(part))
        try:
            whole = os.preadv(descriptor, [data], part.start, _NOW) == len(part)
        except OSError:  # not in memory, or a file system that cannot say
            return None
        return data if whole else None

    def keep(self, key: str, descriptor: int | None) -> None:
        """The file is ours from now on."""
        self.drop(key)
        if descriptor is not None:
            self._open[key] = (descriptor, os.fstat(descriptor).st_ctime_ns)
        if len(self._open) > _MOST:
            self.drop(next(iter(self._open)))

    def drop(self, key: str) -> None:
        """Close it, if it is kept."""
        descriptor, _ = self._open.pop(key, (None, 0))
        if descriptor is not None:
            _close(descriptor)


def second_descriptor(descriptor: int) -> int | None:
    """One more for the same file, to be kept; None where keeping it is of no use, or there is none to spare."""
    if not _NOW:
        return None
    try:
        return os.dup(descriptor)
    except OSError:
        return None


def _close(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)
