"""The folders that the shelf stands on: <storage>/incoming, those the settings allow, and those people add."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from enlarger.books import looks_like_book
from enlarger.errors import InputError, UnknownBookError
from enlarger.jobs import StorageRoot
from enlarger.messages import msg
from enlarger.reader.reader_store import ReaderStore
from enlarger.reader.shelf_ids import INCOMING, book_id_of, parse_book_id, root_id_of, unknown_book
from enlarger.settings import Settings

_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/boot")  # nothing in them is for reading
_SYSTEM_TOP = ("/bin", "/sbin", "/lib", "/lib64", "/usr", "/var", "/run", "/opt", "/System", "/Library", "/private")


@dataclass(frozen=True)
class Root:
    """A folder (or one archive) that books are looked for in. `path` is absolute; removable: a person added it."""

    id: str
    path: Path
    removable: bool

    @property
    def name(self) -> str:
        """What it is called on the shelf."""
        return self.path.name or str(self.path)

    @property
    def is_here(self) -> bool:
        """Whether it can be reached now: disks are unplugged, shares go away."""
        return os.path.exists(self.path)  # noqa: PTH110 - Path.exists raises where a folder may not be entered


class Roots:
    """Thread-safe. What is named by a book id lies below one of these, or is unknown."""

    def __init__(self, settings: Settings, store: ReaderStore) -> None:
        storage = StorageRoot.of(settings)
        self._fixed = (
            Root(INCOMING, storage.incoming, removable=False),
            *(Root(root_id_of(path), path, removable=False) for path in storage.allowed),
        )
        self._store = store
        self._lock = threading.Lock()
        self._added: tuple[Path, ...] | None = None  # as the store has them, which is this server's alone

    def all(self) -> Sequence[Root]:
        """Every root: the server's own first, then those added, in the order they came."""
        fixed = {root.path for root in self._fixed}
        with self._lock:
            if self._added is None:
                self._added = self._store.roots()
            added = [path for path in self._added if path not in fixed]
        return (*self._fixed, *(Root(root_id_of(path), path, removable=True) for path in added))

    def get(self, root_id: str) -> Root:
        """The root of this id; raises UnknownBookError."""
        for root in self.all():
            if root.id == root_id:
                return root
        raise UnknownBookError(
            msg("There is no such folder on the shelf."), msg("Add it to the shelf, or choose one that is there.")
        )

    def add(self, path: str) -> Root:
        """Put a folder or an archive on the shelf, for good; one that is there already is given back.

        Raises InputError for what does not exist, holds no books by its kind, or belongs to the system.
        """
        folder = _absolute(path)
        _require_readable(folder)
        _require_sensible(folder)
        known = next((root for root in self.all() if root.path == folder), None)
        if known is None:
            with self._lock:
                self._store.add_root(folder)
                self._added = None
        return known or Root(root_id_of(folder), folder, removable=True)

    def remove(self, root_id: str) -> None:
        """Take an added root off the shelf; raises UnknownBookError, and InputError for one of the server's own."""
        root = self.get(root_id)
        if not root.removable:
            raise InputError(
                msg("{name}: this folder belongs to the server's settings.", name=root.name),
                msg("Change ENLARGER_ALLOWED_DIRS or ENLARGER_STORAGE_DIR to take it off the shelf."),
            )
        with self._lock:
            self._store.remove_root(root.path)
            self._added = None

    # ---- books by id ----

    def locate(self, book_id: str) -> tuple[Root, Path]:
        """The root and the absolute path that an id names; raises UnknownBookError when nothing is there.

        Links are followed, and may lead to where the shelf or the server's settings allow reading anyway.
        """
        root_id, relative = parse_book_id(book_id)
        root = self.get(root_id)
        path = root.path / relative if relative else root.path
        if not self.allows(root, path) or not os.path.exists(path):  # noqa: PTH110
            raise unknown_book()
        return root, path

    def allows(self, root: Root, path: Path) -> bool:
        """Whether `path`, which lies below the root by name, does so through all links as well."""
        real = Path(os.path.realpath(path))
        folders = (root, *self._fixed)
        return any(real.is_relative_to(os.path.realpath(each.path)) for each in folders)

    def id_of(self, path: Path) -> str:
        """The id of what lies at an absolute path, by the first root that holds it; raises UnknownBookError."""
        for root in self.all():
            if path.is_relative_to(root.path):
                return self.id_below(root, path)
        raise unknown_book()

    @staticmethod
    def id_below(root: Root, path: Path) -> str:
        """The id of what lies below this root."""
        relative = path.relative_to(root.path)
        return book_id_of(root.id, "" if relative == PurePath() else relative.as_posix())


def _absolute(text: str) -> Path:
    try:
        text.encode()
        path = Path(text).expanduser()
    except (UnicodeEncodeError, RuntimeError) as error:  # half a surrogate pair; "~" where nobody has a home
        raise _missing(text) from error
    if "\0" in text or not path.is_absolute():
        raise InputError(
            msg("{path}: the whole path is needed, from the top of the disk.", path=_printable(text)),
            msg("Give it as a file manager shows it, for example /home/you/manga."),
        )
    return Path(os.path.normpath(path))


def _require_readable(path: Path) -> None:
    try:
        is_folder = path.is_dir()
        if not is_folder and not (path.is_file() and looks_like_book(path)):
            raise _missing(str(path)) if not path.exists() else _no_book(path)
        if is_folder:
            with os.scandir(path):
                pass
    except OSError as error:
        raise InputError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
            msg("Allow the server's user to read it. In a container it has to be mounted first."),
        ) from error


def _require_sensible(path: Path) -> None:
    """Refuse what would put the system itself on the shelf."""
    places = {path.as_posix(), Path(os.path.realpath(path)).as_posix()}
    is_system = any(place == top or place.startswith(f"{top}/") for place in places for top in _SYSTEM)
    is_top = path.parent == path or places & {*_SYSTEM_TOP, *_windows_places()}
    if is_system or is_top or Path(os.path.realpath(path)).parent == Path(os.path.realpath(path)):
        raise InputError(
            msg("{path}: this folder belongs to the system, and is too much for a shelf.", path=path),
            msg("Choose the folder in which your books are."),
        )


def _windows_places() -> set[str]:
    if sys.platform != "win32":
        return set()
    names = ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "ProgramData")
    return {Path(os.environ[name]).as_posix() for name in names if name in os.environ}


def _missing(path: str) -> InputError:
    return InputError(
        msg("{path}: there is no such file or folder.", path=_printable(path)),
        msg("Check how it is written. It is looked for on the server's machine, not on yours."),
    )


def _no_book(path: Path) -> InputError:
    return InputError(
        msg("{path}: this is neither a folder nor an archive.", path=path),
        msg("Choose a folder that holds books, or a book: zip, rar, 7z, PDF or EPUB."),
    )


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\0", "")
