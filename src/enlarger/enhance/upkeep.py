"""What lies in the cache's folder beside the renders: counted, and swept when it was not used for long.

Journals, the parts of archives that are not finished, archives unpacked for reading, digests of files, thumbnails, and
compiled graphs. Losing them costs computing, never a page; a journal stays as long as its output does, which without it
would no longer be known as ours.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

from enlarger.books import drop_unpacked
from enlarger.enhance.cache import CacheStats
from enlarger.enhance.journal import Journal
from enlarger.settings import Settings
from enlarger.storage import TEMPORARY_PREFIX, drop_tree, remove

_STALE_TEMPORARY_S = 24 * 3600


def beside_renders(settings: Settings) -> CacheStats:
    """Files and bytes of all journals, parts and compiled graphs.

    A part that shares its file with the render takes no room of its own.
    """
    states = [state for entry in _entries(settings) for state in map(_state, _files(entry)) if state]
    return CacheStats(len(states), sum(s.st_size for s in states if s.st_nlink == 1), settings.cache_dir)


def sweep_beside_renders(settings: Settings, *, unused_for_s: float = 0.0) -> int:
    """Drop what was not used for so long; how many files went.

    An archive in the making keeps its journal and parts, and empty lock files stay (see `one_at_a_time`).
    """
    cutoff = time.time() - unused_for_s
    unused = [entry for entry in _entries(settings) if _last_use(entry) <= cutoff and not _vouches(entry)]
    return sum(_drop(entry, settings) for entry in unused)


def _journals_dir(settings: Settings) -> Path:
    return settings.cache_dir / "journals"


def _entries(settings: Settings) -> Iterator[Path]:
    """A journal, all parts of one archive (a folder), a compiled graph, an unpacked archive (a folder), a digest.

    And thumbnails, a folder of them together.
    """
    beside = (settings.cache_dir / "parts", settings.compiled_dir, settings.spool_dir, settings.digests_dir)
    for folder in (_journals_dir(settings), *beside, settings.thumbnails_dir):
        with suppress(OSError):  # not made yet
            yield from (path for path in sorted(folder.iterdir()) if path.suffix != ".lock" and not _in_writing(path))


def _vouches(entry: Path) -> bool:
    return entry.suffix == ".jsonl" and Journal(entry).vouches()


def _in_writing(path: Path) -> bool:
    state = _state(path)
    young = state is not None and time.time() - state.st_mtime < _STALE_TEMPORARY_S
    return young and path.name.startswith(TEMPORARY_PREFIX)


def _files(entry: Path) -> list[Path]:
    return [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]


def _last_use(entry: Path) -> float:
    """A folder by its own times: its files may be links to older renders. A file also by when it was last read."""
    if entry.is_dir():
        folders = [entry, *(path for path in entry.rglob("*") if path.is_dir())]
        return max((state.st_mtime for state in map(_state, folders) if state), default=0.0)
    state = _state(entry)
    return max(state.st_mtime, state.st_atime) if state else 0.0


def _drop(entry: Path, settings: Settings) -> int:
    """How many files went: none where another process makes this archive just now."""
    from filelock import FileLock, Timeout

    if entry.parent == settings.spool_dir:
        return _removed(entry, drop_unpacked)
    lock = _journals_dir(settings) / f".{entry.stem}.lock"
    try:
        with FileLock(lock, timeout=0) if lock.exists() else nullcontext():
            return _remove(entry)
    except (OSError, Timeout):  # in use, gone already, or not ours to delete
        return 0


def _remove(entry: Path) -> int:
    if entry.is_dir():
        return _removed(entry, drop_tree)
    remove(entry)
    return 1


def _removed(folder: Path, drop: Callable[[Path], object]) -> int:
    before = len(_files(folder))
    drop(folder)
    return before - len(_files(folder))


def _state(path: Path) -> os.stat_result | None:
    with suppress(OSError):  # another process removed it
        return path.stat()
    return None
