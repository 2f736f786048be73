"""One process at a time at one file, and room for it on the disk before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enlarger.cancel import CancelToken, check
from enlarger.errors import StorageError
from enlarger.messages import msg
from enlarger.storage import storage_errors

_POLL_S = 0.2


@contextmanager
def one_at_a_time(target: Path, cancel: CancelToken | None = None) -> Iterator[None]:
    """Wait for other processes and threads that make `target`; raises CancelledError while waiting.

    The lock file stays: removing it would let two processes lock two files of one name.
    """
    from filelock import FileLock, Timeout

    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f".{target.name}.lock"))
        while not lock.is_locked:
            check(cancel)
            try:
                lock.acquire(timeout=_POLL_S)
            except Timeout:
                continue
    try:
        yield
    finally:
        lock.release()


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raises StorageError when the disk under `folder` has less free."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise StorageError(
            msg(
                "{folder}: {needed} MB are needed on this disk, and {free} MB are free.",
                folder=folder,
                needed=-(-needed_bytes // 1_000_000),
                free=free_bytes // 1_000_000,
            ),
            msg("Make room, or keep Enlarger's data elsewhere with ENLARGER_DATA_DIR."),
        )
