"""Books that stay open for a while: the next page costs no second look at the archive's directory."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enlarger.books import Book, open_book
from enlarger.reader.shelf_ids import unknown_book
from enlarger.reader.shelf_locks import PathLocks

MOST_OPEN = 8
IDLE_S = 30.0 if os.name == "nt" else 300.0  # Windows lets nobody replace or delete a file that is open


def stamp_of(path: Path) -> str:
    """What tells a file or folder from what it was before: size and time; raises UnknownBookError when it is gone."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a string or a Path
    except OSError as error:
        raise unknown_book() from error
    return f"{found.st_size}:{found.st_mtime_ns}"


def _opened(path: Path) -> Book:
    return open_book(path, recursive=False)


@dataclass
class _Entry:
    stamp: str
    book: Book
    users: int = 0
    used_at: float = 0.0


class OpenBooks:
    """At most `most` books that nobody reads just now; each is closed when it was idle for `idle_s`. Thread-safe."""

    def __init__(
        self,
        *,
        most: int = MOST_OPEN,
        idle_s: float = IDLE_S,
        opens: Callable[[Path], Book] = _opened,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._idle_s = most, idle_s
        self._opens, self._clock = opens, clock
        self._lock = threading.Lock()
        self._opening = PathLocks()
        self._entries: OrderedDict[Path, _Entry] = OrderedDict()  # used last: at the end
        self._timer: threading.Timer | None = None
        self._closed = False

    @contextmanager
    def book(self, path: Path) -> Iterator[Book]:
        """The book at `path` as it is now, for reading inside the block; raises BookError."""
        entry = self._taken(path, stamp_of(path))
        try:
            yield entry.book
        finally:
            self._give_back(path, entry)

    def has(self, path: Path) -> bool:
        """Whether the book is open, so that reading it costs nothing new."""
        with self._lock:
            return path in self._entries

    def close(self) -> None:
        """Close all that nobody reads; what is being read is closed by its reader."""
        with self._lock:
            self._closed = True
            entries, self._entries = self._entries, OrderedDict()
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()
        _close(entry for entry in entries.values() if not entry.users)

    def sweep(self) -> None:
        """Close what has been idle for long enough."""
        deadline = self._clock() - self._idle_s
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            idle = [path for path, entry in self._entries.items() if not entry.users and entry.used_at <= deadline]
            entries = [self._entries.pop(path) for path in idle]
            self._wind_up()
        _close(entries)

    def _taken(self, path: Path, stamp: str) -> _Entry:
        with self._opening.of(path):  # a large archive takes its time: others go on, and nobody opens it twice
            if entry := self._known(path, stamp):
                return entry
            opened = _Entry(stamp, self._opens(path))
            with self._lock:
                surplus = self._keep(path, opened)
        _close(surplus)
        return opened

    def _known(self, path: Path, stamp: str) -> _Entry | None:
        with self._lock:
            entry = self._entries.get(path)
            if entry is None or entry.stamp != stamp:
                return None
            entry.users += 1
            self._entries.move_to_end(path)
            return entry

    def _keep(self, path: Path, entry: _Entry) -> list[_Entry]:
        """Put it in; what has to be closed for it."""
        entry.users = 1
        if self._closed:
            return []
        old = self._entries.pop(path, None)
        self._entries[path] = entry
        surplus = [] if old is None or old.users else [old]
        idle = [each for each, kept in self._entries.items() if not kept.users]
        surplus += [self._entries.pop(each) for each in idle[: max(0, len(self._entries) - self._most)]]
        self._wind_up()
        return surplus

    def _give_back(self, path: Path, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            entry.used_at = self._clock()
            is_kept = self._entries.get(path) is entry
        if not entry.users and not is_kept:  # replaced or put out while it was read
            entry.book.close()

    def _wind_up(self) -> None:
        if self._entries and self._timer is None and not self._closed:
            self._timer = threading.Timer(self._idle_s, self.sweep)
            self._timer.name = "enlarger-shelf-idle"
            self._timer.daemon = True
            self._timer.start()


def _close(entries: Iterator[_Entry] | list[_Entry]) -> None:
    for entry in entries:
        entry.book.close()
