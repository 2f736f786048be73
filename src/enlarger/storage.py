"""Files that are whole or absent, made by one process at a time; a full disk becomes a clear error.

The one place where files get other names or are deleted on the way to a result: Windows refuses both while somebody,
a virus scanner mostly, has the file open, and finds no file whose path is long unless it is named in a form of its own.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import BinaryIO, TypeVar
from uuid import uuid4

from enlarger.cancel import CancelToken, check
from enlarger.errors import DiskFullError, StorageError
from enlarger.messages import msg

TEMPORARY_PREFIX = ".enlarger-"
_POLL_S = 0.2
PAUSES_S: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
"""Before trying once more what is refused because a file is open; elsewhere open files are in nobody's way."""
_MOST_CHARACTERS = 247  # Windows: of a folder's path, unless it has the long form; files may have a few more
_FULL_SYNC = 51  # F_FULLFSYNC of macOS, where fsync alone stops at the disk's own cache

_T = TypeVar("_T")


@contextmanager
def atomic_file(target: Path, *, label: str = "") -> Iterator[BinaryIO]:
    """A file that appears at `target` only when the block ended well; raises StorageError.

    `label` begins the temporary name, so that what a killed process left is known (see `drop_temporaries`).
    """
    with storage_errors(target):
        make_folder(target.parent)
        temporary = reachable(target.with_name(f"{TEMPORARY_PREFIX}{label}{uuid4().hex}{target.suffix}"))
        try:
            with temporary.open("xb") as file:  # not mkstemp: a result gets the user's own permissions
                yield file
                sync_file(file)
            rename(temporary, target)
            sync_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                remove(temporary)
            raise


def write_atomic(target: Path, data: bytes) -> None:
    """`data` at `target`, durable when this returns; raises StorageError."""
    with atomic_file(target) as file:
        file.write(data)


def drop_temporaries(folder: Path, label: str) -> None:
    """Delete what killed processes left of files and folders with this label.

    Only where no living one can be writing them.
    """
    for path in folder.glob(f"{TEMPORARY_PREFIX}{glob.escape(label)}*"):
        with suppress(OSError):
            drop_tree(path) if path.is_dir() else remove(path)


# ---- names ----


def rename(source: Path, target: Path, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Give the file its name, in place of what has it; raises OSError."""
    insist(lambda: os.replace(reachable(source), reachable(target)), pauses_s=pauses_s)  # noqa: PTH105 - this is the place


def remove(path: Path, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Delete the file; one that is gone is no error. Raises OSError."""
    insist(lambda: reachable(path).unlink(missing_ok=True), pauses_s=pauses_s)


def remove_tree(folder: Path, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Delete the folder with all in it; one that is gone is no error. Raises OSError."""
    with suppress(FileNotFoundError):
        insist(lambda: shutil.rmtree(reachable(folder, deep=True)), pauses_s=pauses_s)


def drop_tree(folder: Path, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
    """Delete of the folder what can be deleted; for what nobody misses. Never raises."""
    try:
        remove_tree(folder, pauses_s=pauses_s)
    except OSError:  # all but what stays open
        shutil.rmtree(reachable(folder, deep=True), ignore_errors=True)


def insist(action: Callable[[], _T], *, pauses_s: Sequence[float] = PAUSES_S) -> _T:
    """What `action` returns; it is tried again after each pause as long as a file that is open elsewhere stops it."""
    for pause_s in pauses_s:
        try:
            return action()
        except PermissionError:  # Windows' "access denied", "sharing violation", "lock violation"
            time.sleep(pause_s)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # a folder keeps a deleted file as long as that is open
                raise
            time.sleep(pause_s)
    return action()


def reachable(path: Path, *, deep: bool = False, windows: bool = os.name == "nt") -> Path:
    """The same place by a name that the system takes at any length; mostly the path itself.

    deep: by one with which what lies below it is reached too.
    """
    if not windows:
        return path
    absolute = PureWindowsPath(os.path.abspath(path))  # noqa: PTH100 - links are to stay
    long = long_form(absolute, deep=deep)
    return path if long == absolute else Path(long)


def long_form(absolute: PureWindowsPath, *, deep: bool = False) -> PureWindowsPath:
    """A Windows path in the form that may have 32,767 characters, where it or what is `deep` below needs that."""
    text = str(absolute)
    if (len(text) <= _MOST_CHARACTERS and not deep) or text.startswith(("\\\\?\\", "\\\\.\\")):
        return absolute
    if text.startswith("\\\\"):
        return PureWindowsPath(f"\\\\?\\UNC\\{text[2:]}")
    return PureWindowsPath(f"\\\\?\\{text}")


# ---- folders, and what is durable ----


def make_folder(folder: Path) -> None:
    """`folder` with all that are missing above it, each one durable when this returns; raises OSError."""
    missing = []
    for path in (folder, *folder.parents):
        if reachable(path).is_dir():
            break
        missing.append(path)
    for path in reversed(missing):
        reachable(path).mkdir(parents=True, exist_ok=True)  # parents: one may have been dropped as empty meanwhile
        sync_folder(path.parent)


def sync_file(file: BinaryIO) -> None:
    """Make what was written durable; raises OSError."""
    file.flush()
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a network's disk knows only the next
            fcntl.fcntl(file.fileno(), _FULL_SYNC)
            return
    os.fsync(file.fileno())


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
