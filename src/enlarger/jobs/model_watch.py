"""Notices that weights were fetched, added or removed, by whichever process: workers are told, and see them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from enlarger.jobs.storage_root import StorageRoot
from enlarger.settings import Settings

_UNFINISHED = (".part", ".part.etag")  # these change all the time while a file comes
_LEVELS = 2  # a package's or a card's folder, and its files


class ModelWatch:
    """Looks at the folders that weights lie in; cheap enough for once a second."""

    def __init__(self, settings: Settings, storage: StorageRoot) -> None:
        self._folders = (settings.models_dir, settings.model_root or storage.models)
        self._seen = self._stamps()

    def has_changed(self) -> bool:
        """Since the last call, or since this was made."""
        before, self._seen = self._seen, self._stamps()
        return before != self._seen

    def _stamps(self) -> frozenset[tuple[str, int]]:
        return frozenset(stamp for folder in self._folders for stamp in _stamps(folder, _LEVELS))


def _stamps(folder: Path, levels: int) -> Iterator[tuple[str, int]]:
    """Each entry with when it changed: a folder's time tells of names that came and went."""
    with suppress(OSError):  # not made yet, or it went just now
        for entry in os.scandir(folder):
            if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED):
                continue
            with suppress(OSError):
                yield entry.path, entry.stat().st_mtime_ns
                if levels > 1 and entry.is_dir():
                    yield from _stamps(Path(entry.path), levels - 1)
