"""A folder, with those below it, as a book. Links may not lead out of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from enlarger.books.book import BookProblem, Limits
from enlarger.books.legacy_names import decode_names
from enlarger.books.listed_book import ListedBook
from enlarger.books.members import arrange, escape_error, is_litter, member_too_large, one_name_each, safe_name
from enlarger.errors import BookError
from enlarger.messages import msg

_CHUNK_BYTES = 1 << 20


class FolderBook(ListedBook[Path]):
    """See `Book`. Links to files inside the folder are pages; links to folders inside it would show pages twice."""

    def __init__(self, path: Path, *, limits: Limits) -> None:
        """Raises BookError when the folder itself cannot be listed or holds no pictures."""
        self._limits = limits
        super().__init__(path, arrange(path, *_scan(path)))

    def _chunks(self, name: str, source: Path) -> Iterator[bytes]:
        try:
            if source.stat().st_size > self._limits.max_member_bytes:
                raise member_too_large(self.path, name, self._limits)
            with source.open("rb") as reader:
                while chunk := reader.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise _unreadable(self.path, name, error) from error


def name_files(book: Path, files: Sequence[str], root: str) -> tuple[dict[str, Path], list[BookProblem]]:
    """Files below `root` by the name each has in the book, and those that can have none.

    Those that lie in the folder itself, which come first, are called the same whatever lies below it.
    """
    problems: list[BookProblem] = []
    named: list[tuple[str, Path]] = []
    for raw, file in zip(_shown_names(files, root), files, strict=True):
        if name := safe_name(raw):  # a backslash or colon means something else elsewhere
            named.append((name, Path(file)))
        else:
            problems.append(BookProblem(raw, escape_error(book, raw)))
    return one_name_each(named), problems


def _scan(book: Path) -> tuple[list[tuple[str, Path]], list[BookProblem]]:
    walk = _Walk(book)
    files, problems = name_files(book, walk.files, walk.root)
    return list(files.items()), [*(BookProblem(name, error) for name, error in walk.refused), *problems]


class _Walk:
    """One walk through a folder: the files in it, and what was refused by name and reason."""

    def __init__(self, book: Path) -> None:
        self.book = book
        self.root = os.path.realpath(book)
        self.files: list[str] = []
        self.refused: list[tuple[str, BookError]] = []
        self._pending = [self.root]
        while self._pending:
            self._list(self._pending.pop())

    def _list(self, folder: str) -> None:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entry.path for entry in entries if not is_litter(entry.name))
        except OSError as error:
            if folder == self.root:
                raise _unlistable(self.book, error) from error
            name = _shown_name(folder, self.root)
            self.refused.append((name, _unreadable(self.book, name, error)))
            return
        for path in found:
            self._take(path)

    def _take(self, path: str) -> None:
        real = os.path.realpath(path)
        is_link = real != path  # folders are entered by their real path only, so this holds for Windows' junctions too
        if is_link and not Path(real).is_relative_to(self.root):
            self._refuse(path, _leads_out)
        elif os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder may be listed but not entered
            if not is_link:
                self._pending.append(path)
        elif os.path.isfile(path):  # noqa: PTH113
            self.files.append(path)
        else:
            self._refuse(path, _no_file)

    def _refuse(self, path: str, error: Callable[[Path, str], BookError]) -> None:
        name = _shown_name(path, self.root)
        self.refused.append((name, error(self.book, name)))


def _shown_name(path: str, root: str) -> str:
    return _shown_names([path], root)[0]


def _shown_names(paths: Sequence[str], root: str) -> list[str]:
    names = [Path(path).relative_to(root).as_posix() for path in paths]
    foreign = [name for name in names if not _is_text(name)]  # unpacked from a legacy archive without decoding
    decoded = _decoded(foreign) | _decoded([name for name in foreign if "/" not in name])
    return [decoded.get(name, name) for name in names]


def _decoded(names: Sequence[str]) -> dict[str, str]:
    return dict(zip(names, decode_names([os.fsencode(name) for name in names]), strict=True))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # surrogates stand for bytes that are not UTF-8
        return False
    return True


def _unlistable(book: Path, error: OSError) -> BookError:
    return BookError(
        msg("{path}: the folder cannot be read ({reason}).", path=book, reason=error.strerror or str(error)),
        msg("Change the folder's permissions, or copy it to a place of your own."),
    )


def _unreadable(book: Path, name: str, error: OSError) -> BookError:
    return BookError(
        msg("{path}: {name} cannot be read ({reason}).", path=book, name=name, reason=error.strerror or str(error)),
        msg("Change its permissions, or copy it to a place of your own."),
    )


def _leads_out(book: Path, name: str) -> BookError:
    return BookError(
        msg("{path}: {name} is a link that leads out of the folder.", path=book, name=name),
        msg("Put the file itself in the link's place."),
    )


def _no_file(book: Path, name: str) -> BookError:
    return BookError(
        msg("{path}: {name} is a broken link or no plain file.", path=book, name=name),
        msg("Remove it, or put the file itself in its place."),
    )
