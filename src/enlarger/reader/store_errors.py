"""What SQLite reports about the reader's file, as Enlarger's errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enlarger.errors import DiskFullError, StorageError
from enlarger.jobs import SqliteTrouble, sqlite_trouble
from enlarger.messages import msg


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Map what SQLite says about the file at `path` to DiskFullError or StorageError."""
    try:
        yield
    except sqlite3.Error as error:
        mapped = _mapped(path, error)
        if mapped is None:
            raise  # a statement that is wrong is a bug, not the disk's fault
        raise mapped from error


def damaged(path: Path) -> StorageError:
    """The file is not what it should be."""
    return StorageError(
        msg("{path}: what the reader remembers is damaged, or this is another program's file.", path=path),
        msg("Move it away: reading progress, rules and added folders begin anew. Books and jobs are not touched."),
    )


def _mapped(path: Path, error: sqlite3.Error) -> StorageError | None:
    match sqlite_trouble(path, error):
        case SqliteTrouble.FULL:
            return DiskFullError(
                msg("{path}: the disk is full.", path=path), msg("Make room: what was kept before is safe.")
            )
        case SqliteTrouble.BROKEN:
            return damaged(path)
        case SqliteTrouble.FORBIDDEN:
            return StorageError(
                msg("{path}: cannot be opened for writing.", path=path),
                msg("Change the folder's permissions, or choose another storage folder."),
            )
        case SqliteTrouble.BUSY | SqliteTrouble.DISK:
            return StorageError(
                msg("{path}: the disk reports an error ({reason}).", path=path, reason=str(error)),
                msg("Check the disk, and stop other programs that use this folder."),
            )
    return None
