"""A folder as a book: with those below it, or only what lies in it directly. Links may not lead out of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from enlarger.books.book import BookProblem, Limits
from enlarger.books.legacy_names import decode_names
from enlarger.books.listed_book import ListedBook
from enlarger.books.members import (
    Contents,
    arrange,
    escape_error,
    is_litter,
    is_page_name,
    member_too_large,
    one_name_each,
    safe_name,
)
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.storage import reachable

_CHUNK_BYTES = 1 << 20


class FolderBook(ListedBook[Path]):
    """See `Book`. Links to files inside the folder are pages; links to folders inside it would show pages twice.

    Not `recursive`, it is the files that lie in the folder directly, called as in the whole book.
    """

    def __init__(self, path: Path, *, limits: Limits, recursive: bool = True) -> None:
        """Raises BookError when the folder itself cannot be listed or holds no pictures."""
        self._limits = limits
        super().__init__(path, _contents(path, recursive=recursive))

    def file(self, name: str) -> Path:
        """Where a member lies; raises BookError when the book has no such member."""
        return self._contents.source(self.path, name)

    def _stated_bytes(self, source: Path) -> int | None:
        try:
            return source.stat().st_size
        except OSError:
            return None

    def _chunks(self, name: str, source: Path) -> Iterator[bytes]:
        try:
            if source.stat().st_size > self._limits.max_member_bytes:
                raise member_too_large(self.path, name, self._limits)
            with source.open("rb") as reader:
                while chunk := reader.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise _unreadable(self.path, name, error) from error


def _contents(book: Path, *, recursive: bool) -> Contents[Path]:
    walk = _Walk(book, recursive=recursive)
    problems = [BookProblem(name, error) for name, error in walk.refused]
    files = _named(book, walk, problems)
    if not (recursive or problems or any(map(is_page_name, files))):
        raise _nothing_here(book)
    return arrange(book, files.items(), problems)


def _named(book: Path, walk: _Walk, problems: list[BookProblem]) -> dict[str, Path]:
    """Files by the name each has in the book; those that can have none become problems.

    Those that lie in the folder itself come first: they are called the same whatever lies below it.
    """
    named: list[tuple[str, Path]] = []
    for raw, file in zip(_shown_names(walk.files, walk.root), walk.files, strict=True):
        if name := safe_name(raw):  # a backslash or colon means something else elsewhere
            named.append((name, reachable(Path(file))))
        else:
            problems.append(BookProblem(raw, escape_error(book, raw)))
    return one_name_each(named)


class _Walk:
    """One walk through a folder: the files in it, and what was refused by name and reason."""

    def __init__(self, book: Path, *, recursive: bool) -> None:
        self.book = book
        self.root = os.path.realpath(book)
        self.files: list[str] = []
        self.refused: list[tuple[str, BookError]] = []
        self._recursive = recursive
        self._pending = [self.root]
        while self._pending:
            self._list(self._pending.pop())

    def _list(self, folder: str) -> None:
        try:
            with os.scandir(reachable(Path(folder))) as entries:
                found = sorted((entry for entry in entries if not is_litter(entry.name)), key=lambda each: each.name)
        except OSError as error:
            if folder == self.root:
                raise _unlistable(self.book, error) from error
            name = _shown_name(folder, self.root)
            self.refused.append((name, _unreadable(self.book, name, error)))
            return
        for entry in found:
            self._take(os.path.join(folder, entry.name), entry)  # noqa: PTH118 - a name need not be text

    def _take(self, path: str, entry: os.DirEntry[str]) -> None:
        if _is_plain_file(entry):
            self.files.append(path)
        elif self._recursive or not os.path.isdir(entry.path):  # noqa: PTH112 - Path.is_dir raises where a folder may be listed but not entered
            self._take_other(path, entry.path)

    def _take_other(self, path: str, reached: str) -> None:
        real = os.path.realpath(path)
        is_link = real != path  # folders are entered by their real path only, so this holds for Windows' junctions too
        if is_link and not Path(real).is_relative_to(self.root):
            self._refuse(path, _leads_out)
        elif os.path.isdir(reached):  # noqa: PTH112
            if not is_link:
                self._pending.append(path)
        elif os.path.isfile(reached):  # noqa: PTH113
            self.files.append(path)
        else:
            self._refuse(path, _no_file)

    def _refuse(self, path: str, error: Callable[[Path, str], BookError]) -> None:
        name = _shown_name(path, self.root)
        self.refused.append((name, error(self.book, name)))


def _is_plain_file(entry: os.DirEntry[str]) -> bool:
    """Known from the listing alone, as most are: a large folder costs no look at each file."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:  # it must be asked for where the disk's listing does not say, and is gone
        return False


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


def _nothing_here(folder: Path) -> BookError:
    return BookError(
        msg("{path}: holds no pictures.", path=folder),
        msg("Open one of the folders or archives in it, or put pictures there."),
    )


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
