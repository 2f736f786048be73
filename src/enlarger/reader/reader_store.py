"""What the reader remembers across restarts: folders put on the shelf, how far each book was read, settings, sizes."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger.errors import StorageError
from enlarger.jobs import network_type
from enlarger.messages import msg
from enlarger.reader.store_errors import damaged, store_errors
from enlarger.settings import Settings
from enlarger.storage import make_folder, storage_errors, sync_folder

APPLICATION_ID = 0x456E6C72  # "Enlr", in the file's header
_PRAGMAS = (
    "busy_timeout = 30000",
    "journal_mode = WAL",
    "synchronous = FULL",  # with NORMAL the last commits may go when the power does
    "fullfsync = ON",  # macOS: fsync alone stops at the disk's own cache
    "journal_size_limit = 16777216",
)
_MIGRATIONS = (  # the n-th brings a file from version n to n + 1; what was released is never changed
    """
    CREATE TABLE roots (path BLOB PRIMARY KEY, added_at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE progress (
        book TEXT PRIMARY KEY, page INTEGER NOT NULL, total INTEGER NOT NULL, at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX progress_at ON progress (at);
    CREATE TABLE documents (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE indexes (
        path BLOB PRIMARY KEY, stamp TEXT NOT NULL, pages INTEGER NOT NULL, content TEXT NOT NULL, used_at REAL NOT NULL
    );
    CREATE INDEX indexes_used_at ON indexes (used_at);
    """,
)
VERSION = len(_MIGRATIONS)
_MOST_INDEXES = 2000  # some 20 kB each
_MOST_PROGRESS = 20_000
_MOST_VARIABLES = 500  # of one statement; SQLite before 3.32 knows 999


@dataclass(frozen=True)
class Progress:
    """How far a book was read: the page seen last, from 0, of so many, and when (Unix seconds)."""

    page: int
    total: int
    at: float


@dataclass(frozen=True)
class StoredIndex:
    """What was found in a book when it looked like `stamp`: how many pages, and the rest as JSON."""

    stamp: str
    pages: int
    content: str


class ReaderStore:
    """One SQLite file. Thread-safe; what a call wrote is on the disk when it returns.

    Every call raises StorageError when the file cannot be read or written, DiskFullError when there is no room.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Makes the file, or brings it to this version's form; StorageError on a network disk or for a newer file."""
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        _require_own_disk(path)
        with storage_errors(path):
            make_folder(path.parent)
        self._connection = _opened(path)

    @classmethod
    def of(cls, settings: Settings) -> ReaderStore:
        """The one in the storage root."""
        return cls(settings.storage_dir.absolute() / "reader.sqlite")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # ---- folders on the shelf ----

    def roots(self) -> tuple[Path, ...]:
        """The folders and archives that people put on the shelf, in the order they came."""
        rows = self._read("SELECT path FROM roots ORDER BY added_at, path")
        return tuple(Path(os.fsdecode(path)) for (path,) in rows)

    def add_root(self, path: Path) -> None:
        """Put it on the shelf; one that is there already stays where it is."""
        self._write("INSERT OR IGNORE INTO roots VALUES (?, ?)", (os.fsencode(path), self._clock()))

    def remove_root(self, path: Path) -> bool:
        """Take it off the shelf; whether it was on it."""
        return self._write("DELETE FROM roots WHERE path = ?", (os.fsencode(path),)) > 0

    # ---- how far books were read ----

    def progress(self, book: str) -> Progress | None:
        """How far the book of this name was read, None when it never was."""
        return self.progress_of([book]).get(book)

    def progress_of(self, books: Collection[str]) -> Mapping[str, Progress]:
        """The same of many; those never read are left out."""
        rows = self._select_in("SELECT book, page, total, at FROM progress WHERE book", books)
        return {book: Progress(page, total, at) for book, page, total, at in rows}

    def put_progress(self, book: str, page: int, total: int) -> Progress:
        """The book was read to here, now. Beyond 20,000 books the ones not read for longest are forgotten."""
        reached = Progress(page, total, self._clock())
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", (book, page, total, reached.at))
            connection.execute(
                "DELETE FROM progress WHERE at < (SELECT at FROM progress ORDER BY at DESC LIMIT 1 OFFSET ?)",
                (_MOST_PROGRESS - 1,),
            )
        return reached

    def recent(self, limit: int) -> tuple[tuple[str, Progress], ...]:
        """The books read last, newest first."""
        rows = self._read("SELECT book, page, total, at FROM progress ORDER BY at DESC, book LIMIT ?", (limit,))
        return tuple((book, Progress(page, total, at)) for book, page, total, at in rows)

    # ---- documents ----

    def document(self, name: str) -> Any:
        """The JSON value kept under the name, None when there is none."""
        rows = self._read("SELECT value FROM documents WHERE name = ?", (name,))
        return json.loads(rows[0][0]) if rows else None

    def put_document(self, name: str, value: Any) -> None:
        """Keep a JSON value under the name, in place of the one before."""
        text = json.dumps(value, ensure_ascii=True, allow_nan=False)
        self._write("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, text))

    # ---- what books hold ----

    def index(self, path: Path) -> StoredIndex | None:
        """What was found in the book at `path`, whether or not it is so still."""
        rows = self._read("SELECT stamp, pages, content FROM indexes WHERE path = ?", (os.fsencode(path),))
        return StoredIndex(*rows[0]) if rows else None

    def put_index(self, path: Path, index: StoredIndex) -> None:
        """Remember what is in the book; beyond 2,000 books those not looked into for longest are forgotten."""
        now = self._clock()
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO indexes VALUES (?, ?, ?, ?, ?)",
                (os.fsencode(path), index.stamp, index.pages, index.content, now),
            )
            connection.execute(
                "DELETE FROM indexes WHERE used_at <"
                " (SELECT used_at FROM indexes ORDER BY used_at DESC LIMIT 1 OFFSET ?)",
                (_MOST_INDEXES - 1,),
            )

    def stamps(self, paths: Collection[Path]) -> Mapping[Path, tuple[str, int]]:
        """Of those books that were looked into: what they looked like then, and how many pages they had."""
        named = {os.fsencode(path): path for path in paths}
        rows = self._select_in("SELECT path, stamp, pages FROM indexes WHERE path", named)
        return {named[path]: (stamp, pages) for path, stamp, pages in rows}

    # ---- SQL ----

    def _read(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock, store_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    def _select_in(self, statement: str, names: Collection[str | bytes]) -> list[Any]:
        wanted, rows = list(names), list[Any]()
        for start in range(0, len(wanted), _MOST_VARIABLES):
            part = tuple(wanted[start : start + _MOST_VARIABLES])
            rows += self._read(f"{statement} IN ({', '.join('?' * len(part))})", part)
        return rows

    def _write(self, statement: str, values: tuple[Any, ...]) -> int:
        with self._transaction() as connection:
            return connection.execute(statement, values).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, store_errors(self.path), _transaction(self._connection):
            yield self._connection


def _require_own_disk(path: Path) -> None:
    if kind := network_type(path.parent):
        raise StorageError(
            msg(
                "{path}: what the reader remembers cannot lie on a network file system ({kind}).", path=path, kind=kind
            ),
            msg("Put the storage folder on a disk of this machine with ENLARGER_STORAGE_DIR or --storage."),
        )


def _opened(path: Path) -> sqlite3.Connection:
    with store_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _require_ours(path, connection)
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}").fetchall()
            _migrate(path, connection)
            with storage_errors(path):
                sync_folder(path.parent)  # a new file's name is as durable as what it holds
        except BaseException:
            connection.close()
            raise
    return connection


def _require_ours(path: Path, connection: sqlite3.Connection) -> int:
    """The file's version, 0 for a new one. Looks before anything is written: what is not ours stays as it is."""
    found = _pragma(connection, "application_id")
    is_empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise damaged(path)
    version = _pragma(connection, "user_version")
    if not is_empty and found != APPLICATION_ID:
        raise damaged(path)
    if version > VERSION:
        raise StorageError(
            msg("{path}: a newer version of Enlarger made this file.", path=path),
            msg("Use that version or a newer one, or choose another storage folder."),
        )
    return version


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        version = _require_ours(path, connection)  # again: another process may have been faster
        for step in _MIGRATIONS[version:]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself on some errors, a full disk among them
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
