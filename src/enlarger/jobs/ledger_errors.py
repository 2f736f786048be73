"""What SQLite reports about the ledger's file, as Enlarger's errors."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from enlarger.errors import DiskFullError, EnlargerError, LedgerError
from enlarger.messages import msg

_PRIMARY = 0xFF  # the low byte of SQLite's extended codes
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_NO_ROOM_BYTES = 256 * 1024  # SQLite reports some full disks as errors of input and output


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Map what SQLite says about the file at `path` to DiskFullError or LedgerError."""
    try:
        yield
    except DBAPIError as error:
        mapped = _mapped(path, error.orig)
        if mapped is None:
            raise  # a statement that is wrong is a bug, not the disk's fault
        raise mapped from error


def broken(path: Path) -> LedgerError:
    """The file is no ledger, or no longer."""
    return LedgerError(
        msg("{path}: the ledger of jobs is damaged, or not a ledger.", path=path),
        msg("Move it away to begin with an empty one, or put back a copy of it."),
    )


def _mapped(path: Path, error: BaseException | None) -> EnlargerError | None:
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors that Python's module makes itself
    if code is None:
        return None
    primary = code & _PRIMARY
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _no_room(path)):
        return DiskFullError(
            msg("{path}: the disk is full.", path=path),
            msg("Make room: what was accepted is kept, and jobs go on by themselves."),
        )
    if primary in _BROKEN:
        return broken(path)
    if primary in _BUSY:
        return LedgerError(
            msg("{path}: another process has kept the ledger of jobs locked for too long.", path=path),
            msg("Stop the other process that uses this storage folder."),
        )
    if primary in _FORBIDDEN:
        return LedgerError(
            msg("{path}: the ledger of jobs cannot be opened for writing.", path=path),
            msg("Change the folder's permissions, or choose another storage folder."),
        )
    if primary == sqlite3.SQLITE_IOERR:
        return LedgerError(
            msg("{path}: the disk reports an error ({reason}).", path=path, reason=str(error)),
            msg("Check the disk. All that was confirmed before is in the ledger."),
        )
    return None


def _no_room(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES
    return False
