"""The shelf: which books there are, what is in them, and their pages as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from enlarger.reader.reader_store import ReaderStore
from enlarger.reader.shelf_roots import Root, Roots
from enlarger.settings import Settings


class Shelf:
    """The room's face towards books. Thread-safe; every call may wait for the disk."""

    def __init__(self, settings: Settings, store: ReaderStore) -> None:
        self._settings = settings
        self._store = store
        self._roots = Roots(settings, store)

    # ---- roots ----

    def roots(self) -> Sequence[Root]:
        """Every folder that the shelf stands on."""
        return self._roots.all()

    def add_root(self, path: str) -> Root:
        """Put a folder or an archive of the server's machine on the shelf, for good; raises InputError."""
        return self._roots.add(path)

    def remove_root(self, root_id: str) -> None:
        """Take an added one off the shelf; raises UnknownBookError, InputError."""
        self._roots.remove(root_id)

    # ---- books by id ----

    def locate(self, book_id: str) -> Path:
        """The absolute path of a book or folder, which lies below a root; raises UnknownBookError."""
        return self._roots.locate(book_id)[1]

    def id_of(self, path: Path) -> str:
        """The id of what lies at an absolute path below a root; raises UnknownBookError."""
        return self._roots.id_of(path)
