"""A folder of pictures as the shelf shows it: those that lie in it directly, not those of the folders below."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from enlarger.books import Book, BookProblem, Limits, Page, is_litter, is_page_name, name_files, natural_key, open_book
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.settings import Settings

_CHUNK_BYTES = 1 << 20


def open_shelf_book(path: Path, settings: Settings | None = None) -> Book:
    """The book at `path` as the shelf shows it; settings as `open_book` takes them. Raises BookError."""
    return FolderPages(path) if os.path.isdir(path) else open_book(path, settings=settings)  # noqa: PTH112 - Path.is_dir may raise


class FolderPages:
    """See `Book`. Nothing is held open between reads; links that lead out of the folder are problems."""

    def __init__(self, path: Path, *, limits: Limits | None = None) -> None:
        """Raises BookError when the folder cannot be listed or holds no pictures itself."""
        self.path = path
        self._limits = limits or Limits()
        found, self.problems = _pictures(path)
        if not found:
            raise self.problems[0].error if self.problems else _no_pictures(path)
        self._files = found
        self.pages: Sequence[Page] = tuple(Page(name) for name in sorted(found, key=natural_key))
        self.extras: Sequence[str] = ()

    def file(self, name: str) -> Path:
        """Where a page lies; raises BookError."""
        try:
            return self._files[name]
        except KeyError:
            raise BookError(msg("{path}: holds no member named {name}.", path=self.path, name=name)) from None

    def read(self, name: str) -> bytes:
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        file = self.file(name)
        try:
            if file.stat().st_size > self._limits.max_member_bytes:
                raise _too_large(self.path, name, self._limits)
            with file.open("rb") as reader:
                while chunk := reader.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise _unreadable(self.path, name, error) from error

    def size(self, name: str) -> int | None:
        try:
            return self.file(name).stat().st_size
        except OSError:
            return None

    def close(self) -> None:
        """Nothing is held open between reads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def printable(name: str) -> str:
    """The name as it can be shown and sent: bytes that are no UTF-8 become marks."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "replace")
    return name


def _pictures(folder: Path) -> tuple[dict[str, Path], Sequence[BookProblem]]:
    """By the names that `open_book` gives them: jobs ask for them there."""
    files: list[str] = []
    problems: list[BookProblem] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_litter(entry.name):
                    _take(folder, entry, files, problems)
    except OSError as error:
        raise BookError(
            msg("{path}: the folder cannot be read ({reason}).", path=folder, reason=error.strerror or str(error)),
            msg("Change the folder's permissions, or copy it to a place of your own."),
        ) from error
    named, nameless = name_files(folder, sorted(files), str(folder))
    pictures = {name: file for name, file in named.items() if is_page_name(name)}
    return pictures, (*problems, *(each for each in nameless if is_page_name(each.name)))


def _take(folder: Path, entry: os.DirEntry[str], files: list[str], problems: list[BookProblem]) -> None:
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(os.path.realpath(folder)):
        if is_page_name(entry.name):
            name = printable(entry.name)
            problems.append(BookProblem(name, _leads_out(folder, name)))
    elif _is_file(entry):
        files.append(entry.path)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that goes in circles
        return False


def _no_pictures(folder: Path) -> BookError:
    return BookError(
        msg("{path}: holds no pictures.", path=folder),
        msg("Open one of the folders or archives in it, or put pictures there."),
    )


def _leads_out(folder: Path, name: str) -> BookError:
    return BookError(
        msg("{path}: {name} is a link that leads out of the folder.", path=folder, name=name),
        msg("Put the file itself in the link's place."),
    )


def _too_large(folder: Path, name: str, limits: Limits) -> BookError:
    most = limits.max_member_bytes // 1024**2
    return BookError(
        msg("{path}: {name} is larger than {limit} MiB.", path=folder, name=name, limit=most),
        msg("Take this file out; pages are much smaller."),
    )


def _unreadable(folder: Path, name: str, error: OSError) -> BookError:
    return BookError(
        msg("{path}: {name} cannot be read ({reason}).", path=folder, name=name, reason=error.strerror or str(error)),
        msg("Change its permissions, or copy it to a place of your own."),
    )
