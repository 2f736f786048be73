"""Files that are whole or absent, made by one process at a time; a full disk becomes a clear error."""

from __future__ import annotations

import errno
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from enlarger.cancel import CancelToken, check
from enlarger.errors import DiskFullError, StorageError
from enlarger.messages import msg

TEMPORARY_PREFIX = ".enlarger-"
_POLL_S = 0.2


@contextmanager
def atomic_file(target: Path, *, label: str = "") -> Iterator[BinaryIO]:
    """A file that appears at `target` only when the block ended well; raises StorageError.

    `label` begins the temporary name, so that what a killed process left is known (see `drop_temporaries`).
    """
    with storage_errors(target):
        make_folder(target.parent)
        temporary = target.with_name(f"{TEMPORARY_PREFIX}{label}{uuid4().hex}{target.suffix}")
        try:
            with temporary.open("xb") as file:  # not mkstemp: a result gets the user's own permissions
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            sync_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_atomic(target: Path, data: bytes) -> None:
    """`data` at `target`, durable when this returns; raises StorageError."""
    with atomic_file(target) as file:
        file.write(data)


def drop_temporaries(folder: Path, label: str) -> None:
    """Delete what killed processes left of files with this label; only where no living one can be writing them."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}{glob.escape(label)}*"):
        with suppress(OSError):
            path.unlink()


def make_folder(folder: Path) -> None:
    """`folder` with all that are missing above it, each one durable when this returns; raises OSError."""
    missing = []
    for path in (folder, *folder.parents):
        if path.is_dir():
            break
        missing.append(path)
    for path in reversed(missing):
        path.mkdir(parents=True, exist_ok=True)  # parents: one may have been dropped as empty meanwhile
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable; a no-op where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def one_at_a_time(target: Path, cancel: CancelToken | None = None) -> Iterator[None]:
    """Wait for other processes and threads that make `target`; raises CancelledError while waiting.

    The lock file stays: removing it would let two processes lock two files of one name.
    """
    from filelock import FileLock, Timeout

    with storage_errors(target):
        make_folder(target.parent)
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
        make_folder(folder)
        free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DiskFullError(
            msg(
                "{folder}: {needed} MB are needed on this disk, and {free} MB are free.",
                folder=folder,
                needed=-(-needed_bytes // 1_000_000),
                free=free_bytes // 1_000_000,
            ),
            msg("Make room, or keep Enlarger's data elsewhere with ENLARGER_DATA_DIR."),
        )


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Map an OSError about `path` to a StorageError with its remedy."""
    try:
        yield
    except OSError as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            msg("{path}: the disk is full.", path=path),
            msg("Make room and run the same command again: finished pages are kept."),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            msg("{path}: not allowed to write here.", path=path),
            msg("Choose another place with -o, or change the folder's permissions."),
        )
    return StorageError(msg("{path}: cannot be written ({reason}).", path=path, reason=error.strerror or str(error)))
