"""What SQLite reports about a file, in five kinds; each store says in its own words what to do about them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

_PRIMARY = 0xFF  # the low byte of SQLite's extended codes
_NO_ROOM_BYTES = 256 * 1024  # SQLite reports some full disks as errors of input and output


class SqliteTrouble(Enum):
    """BROKEN: no database, or no longer. BUSY: another keeps it. FORBIDDEN: not to be written. DISK: its own errors."""

    FULL = auto()
    BROKEN = auto()
    BUSY = auto()
    FORBIDDEN = auto()
    DISK = auto()


_KINDS = {
    sqlite3.SQLITE_FULL: SqliteTrouble.FULL,
    sqlite3.SQLITE_CORRUPT: SqliteTrouble.BROKEN,
    sqlite3.SQLITE_NOTADB: SqliteTrouble.BROKEN,
    sqlite3.SQLITE_BUSY: SqliteTrouble.BUSY,
    sqlite3.SQLITE_LOCKED: SqliteTrouble.BUSY,
    sqlite3.SQLITE_READONLY: SqliteTrouble.FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: SqliteTrouble.FORBIDDEN,
    sqlite3.SQLITE_PERM: SqliteTrouble.FORBIDDEN,
    sqlite3.SQLITE_AUTH: SqliteTrouble.FORBIDDEN,
    sqlite3.SQLITE_IOERR: SqliteTrouble.DISK,
}


def sqlite_trouble(path: Path, error: BaseException | None) -> SqliteTrouble | None:
    """What the error says about the file at `path`; None where a statement, not the file, is wrong."""
    code = getattr(error, "sqlite_errorcode", None)  # absent on errors that Python's module makes itself
    kind = None if code is None else _KINDS.get(code & _PRIMARY)
    return SqliteTrouble.FULL if kind is SqliteTrouble.DISK and _no_room(path) else kind


def _no_room(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES
    return False
