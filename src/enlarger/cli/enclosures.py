"""Files that are sent along with a request: opened only while they are read, counted as they go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from enlarger.errors import InputError
from enlarger.messages import msg


class Enclosure:
    """One file, as httpx reads it for a form; a folder of thousands keeps one open at a time."""

    def __init__(self, path: Path, name: str, sent: Callable[[int], None] = lambda _: None) -> None:
        self.path, self.name = path, name
        self._sent = sent
        self._file: BinaryIO | None = None
        with _readable(path):
            self.bytes = path.stat().st_size
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        with _readable(self.path):
            if self._file is None:
                self._file = self.path.open("rb")
            data = self._file.read(size)
        if not data:
            self._close()
        self._at += len(data)
        self._sent(len(data))
        return data

    def tell(self) -> int:
        """How much was read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To the beginning, or to the end for asking how long it is."""
        self._close()
        self._at = self.bytes if whence == os.SEEK_END else offset
        return self._at

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def enclosed(path: Path, sent: Callable[[int], None]) -> list[Enclosure]:
    """A file by itself, or a folder's pages under their paths in it; raises InputError."""
    from enlarger.books import is_page_name, natural_key

    if not path.is_dir():
        return [Enclosure(path, path.name, sent)]
    pages = [each for each in path.rglob("*") if is_page_name(each.name) and each.is_file()]
    if not pages:
        raise InputError(
            msg("{path}: there are no pictures in this folder.", path=path), msg("Name a folder with pictures.")
        )
    names = {each: each.relative_to(path).as_posix() for each in pages}
    return [Enclosure(each, names[each], sent) for each in sorted(pages, key=lambda each: natural_key(names[each]))]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or error),
            msg("Check the path and its permissions."),
        ) from error
