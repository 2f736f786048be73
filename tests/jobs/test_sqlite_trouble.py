"""What SQLite says about a file, sorted into what a person can do about it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from enlarger.errors import DiskFullError, StorageError
from enlarger.jobs import SqliteTrouble, sqlite_trouble
from enlarger.reader.store_errors import store_errors


def reported(code: int | None) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, SqliteTrouble.FULL),
        (sqlite3.SQLITE_CORRUPT_INDEX, SqliteTrouble.BROKEN),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, SqliteTrouble.BUSY),
        (sqlite3.SQLITE_READONLY_DBMOVED, SqliteTrouble.FORBIDDEN),
        (sqlite3.SQLITE_IOERR_FSYNC, SqliteTrouble.DISK),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, None),
        (None, None),
    ],
)
def test_extended_codes_are_of_their_kind(tmp_path: Path, code: int | None, kind: SqliteTrouble | None) -> None:
    assert sqlite_trouble(tmp_path / "a.sqlite", reported(code)) is kind


def test_a_disk_error_without_room_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, usage = tmp_path / "a.sqlite", shutil.disk_usage(tmp_path)
    with pytest.raises(StorageError) as failed, store_errors(path):
        raise reported(sqlite3.SQLITE_IOERR)
    assert not isinstance(failed.value, DiskFullError)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFullError), store_errors(path):
        raise reported(sqlite3.SQLITE_IOERR)
