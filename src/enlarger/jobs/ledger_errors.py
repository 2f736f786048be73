"""What SQLite reports about the ledger's file, as Enlarger's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from enlarger.errors import DiskFullError, EnlargerError, LedgerError
from enlarger.jobs.sqlite_trouble import SqliteTrouble, sqlite_trouble
from enlarger.messages import msg


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
    match sqlite_trouble(path, error):
        case SqliteTrouble.FULL:
            return DiskFullError(
                msg("{path}: the disk is full.", path=path),
                msg("Make room: what was accepted is kept, and jobs go on by themselves."),
            )
        case SqliteTrouble.BROKEN:
            return broken(path)
        case SqliteTrouble.BUSY:
            return LedgerError(
                msg("{path}: another process has kept the ledger of jobs locked for too long.", path=path),
                msg("Stop the other process that uses this storage folder."),
            )
        case SqliteTrouble.FORBIDDEN:
            return LedgerError(
                msg("{path}: the ledger of jobs cannot be opened for writing.", path=path),
                msg("Change the folder's permissions, or choose another storage folder."),
            )
        case SqliteTrouble.DISK:
            return LedgerError(
                msg("{path}: the disk reports an error ({reason}).", path=path, reason=str(error)),
                msg("Check the disk. All that was confirmed before is in the ledger."),
            )
    return None
