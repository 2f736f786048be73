"""The ledger's file: opened safely, brought to this version's form, one writer at a time and readers beside it.

Everything that only SQLite understands is in this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from enlarger.errors import LedgerError
from enlarger.jobs.ledger_errors import broken, ledger_errors
from enlarger.jobs.migrations import migrate, require_ours
from enlarger.jobs.network_disks import Partitions, mounted, network_type
from enlarger.messages import msg
from enlarger.storage import make_folder, storage_errors, sync_folder

_WRITES = "enlarger_writes"
_PRAGMAS = (
    "busy_timeout = 30000",
    "foreign_keys = ON",
    "synchronous = FULL",  # with NORMAL the last commits may go when the power does
    "fullfsync = ON",  # macOS: fsync alone stops at the disk's own cache
    "journal_size_limit = 67108864",
)


class LedgerFile:
    """Transactions on one file. Threads may share it; other processes may open it too, one writer among all."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine
        self._lock = RLock()
        self._writer = engine.connect().execution_options(**{_WRITES: True})

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block has ended; raises DiskFullError, LedgerError."""
        with self._lock, ledger_errors(self.path), self._writer.begin():
            yield self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the ledger; writers go on meanwhile."""
        with ledger_errors(self.path), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._writer.close()
            self._engine.dispose()


def open_ledger_file(path: Path, partitions: Partitions = mounted) -> LedgerFile:
    """Make the file or bring it to this version's form; raises LedgerError and DiskFullError."""
    _require_own_disk(path, partitions)
    with storage_errors(path):
        make_folder(path.parent)
    engine = _engine(path)
    try:
        return _opened(path, engine)
    except BaseException:
        engine.dispose()
        raise


def _opened(path: Path, engine: Engine) -> LedgerFile:
    with ledger_errors(path):
        file = LedgerFile(path, engine)
    try:
        with ledger_errors(path):
            _require_sound(path, file)
            _use_wal(path, engine)
            with file.write() as connection:
                migrate(connection, path)
        with storage_errors(path):
            sync_folder(path.parent)  # a new file's name is as durable as what it holds
    except BaseException:
        file.close()
        raise
    return file


def _require_own_disk(path: Path, partitions: Partitions) -> None:
    if kind := network_type(path.parent, partitions):
        raise LedgerError(
            msg("{path}: the ledger of jobs cannot lie on a network file system ({kind}).", path=path, kind=kind),
            msg("Put the storage folder on a disk of this machine with ENLARGER_STORAGE_DIR or --storage."),
        )


def _require_sound(path: Path, file: LedgerFile) -> None:
    """Look before anything is written: what is not ours stays as it is."""
    with file.read() as connection:
        if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            raise broken(path)
        require_ours(connection, path)


def _use_wal(path: Path, engine: Engine) -> None:
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # outside of any transaction
        try:
            mode = cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        finally:
            cursor.close()
    if mode != "wal":
        raise LedgerError(
            msg("{path}: this disk cannot keep the ledger of jobs safe.", path=path),
            msg("Put the storage folder on another disk with ENLARGER_STORAGE_DIR or --storage."),
        )


def _engine(path: Path) -> Engine:
    url = make_url("sqlite+pysqlite://").set(database=str(path))
    # no upper bound: a reader holds its connection for a moment only, and never waits for another
    engine = create_engine(url, pool_size=4, max_overflow=-1, connect_args={"isolation_level": None})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # a transaction that reads first and writes later would be refused, not queued, when another writes in between
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
