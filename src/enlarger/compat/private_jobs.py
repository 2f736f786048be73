"""Jobs of one process alone: their storage root lies below the cache, is found by nobody, and goes with the process."""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from enlarger.errors import StorageError
from enlarger.jobs import Crew, Jobs, StorageRoot, network_type
from enlarger.settings import Settings
from enlarger.storage import drop_tree, one_at_a_time, storage_errors

MakeCrew: TypeAlias = Callable[[Settings], Crew]

_MOST_WAITING = 1_000_000_000  # whoever calls from his own program may queue what he likes


@contextmanager
def private_jobs(settings: Settings, make_crew: MakeCrew | None = None) -> Iterator[Jobs]:
    """Jobs that run; when the block ends no worker and no file of theirs is left. Raises StorageError,
    and RuntimeFailedError where this process may start none.

    make_crew: other workers than the server's, for the settings of these jobs.
    """
    with ExitStack() as stack:
        jobs = _opened(settings, make_crew, stack)
        stack.callback(jobs.stop, grace_s=0.0)  # also where it does not start: the root is held from here on
        jobs.start()
        yield jobs


def _opened(settings: Settings, make_crew: MakeCrew | None, stack: ExitStack) -> Jobs:
    folder = _folder(settings)
    with one_at_a_time(folder / "roots"):  # nobody takes a root that is not locked yet for an abandoned one
        _sweep(folder)
        root = folder / uuid4().hex
        stack.callback(drop_tree, root)
        private = _at(settings, root)
        return Jobs(private, crew=make_crew and make_crew(private))


def _at(settings: Settings, root: Path) -> Settings:
    """The same settings for a root whose jobs stay until they are taken away."""
    private = {
        "storage_dir": root,
        "max_waiting_jobs": _MOST_WAITING,
        "keep_jobs_days": 0.0,
        "keep_jobs_bytes": 0,
    }
    return settings.model_copy(update=private)


def _folder(settings: Settings) -> Path:
    """Beside the renders, so that results are links to them; a ledger cannot lie on another machine's disk."""
    folder = settings.cache_dir / "tasks"
    return _local_folder() if network_type(folder) else folder


def _local_folder() -> Path:
    """One for all processes of a user, so that the next one finds what a killed one left; a stranger's is not used."""
    candidates = (Path(tempfile.gettempdir()) / f"enlarger-tasks-{_user()}-{number}" for number in count())
    return next(filter(_is_made_private, candidates))


def _user() -> str:
    if hasattr(os, "getuid"):
        return str(os.getuid())
    with suppress(OSError, KeyError, ImportError):  # the latter two: a user without a name
        return "".join(filter(str.isalnum, getpass.getuser()))
    return ""


def _is_made_private(folder: Path) -> bool:
    with storage_errors(folder):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return _is_private(folder.lstat())


def _is_private(found: os.stat_result) -> bool:
    """Whether it is a folder, no link, that this user owns and alone can enter. Windows has one for each."""
    is_own = os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return stat.S_ISDIR(found.st_mode) and is_own


def _sweep(folder: Path) -> None:
    """Delete what killed processes left: a root that nobody holds is nobody's."""
    for root in folder.iterdir():
        with suppress(StorageError):
            if root.is_dir():
                with StorageRoot(root).held():
                    pass
                drop_tree(root)
