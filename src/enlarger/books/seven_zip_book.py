"""A 7z or cb7 as a book. Its members are compressed together, so it is unpacked once, into the spool."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.books.book import BookProblem, Limits
from enlarger.books.listed_book import ListedBook
from enlarger.books.member_checks import (
    check_entries,
    check_ratio,
    check_total,
    damaged_archive,
    encrypted_archive,
    no_plain_file,
    size_refusal,
)
from enlarger.books.members import Contents, arrange, escape_error, is_litter, safe_name
from enlarger.books.spool import Spool
from enlarger.books.spooled import Packed, Sink, Spooled
from enlarger.errors import EnlargerError

if TYPE_CHECKING:
    from py7zr import SevenZipFile
    from py7zr.py7zr import ArchiveFile


class SevenZipBook(ListedBook[Packed]):
    """See `Book`. A member is known by its number, since names may come twice; empty ones are not unpacked."""

    def __init__(self, path: Path, *, limits: Limits, spool: Spool) -> None:
        """Raises BookError when the archive as a whole cannot or must not be read."""
        with _opened(path) as archive:
            contents = _contents(path, list(archive.files), limits)
        super().__init__(path, contents)
        members = {member.index: member for member in contents.sources.values() if member.size_bytes}
        self._spooled = Spooled(spool, path, members, self._unpack)

    def _stated_bytes(self, source: Packed) -> int | None:
        return source.size_bytes

    def _chunks(self, _name: str, source: Packed) -> Iterator[bytes]:
        if source.size_bytes:
            yield from self._spooled.stream(source.index)

    def close(self) -> None:
        self._spooled.close()

    def _unpack(self, sink: Sink) -> None:
        from enlarger.books.seven_zip_unpacking import unpack_into

        with _opened(self.path) as archive:
            unpack_into(archive, sink)


@contextmanager
def _opened(path: Path) -> Iterator[SevenZipFile]:
    from py7zr import SevenZipFile
    from py7zr.exceptions import PasswordRequired

    try:
        with path.open("rb") as file, SevenZipFile(file) as archive:  # given a path it would start threads
            if archive.password_protected:
                raise encrypted_archive(path)
            yield archive
    except PasswordRequired as error:
        raise encrypted_archive(path) from error
    except EnlargerError:
        raise
    except Exception as error:  # hostile headers make py7zr raise nearly anything: the fuzzing test met a dozen kinds
        raise damaged_archive(path, str(error) or type(error).__name__) from error


def _contents(path: Path, files: Sequence[ArchiveFile], limits: Limits) -> Contents[Packed]:
    check_entries(path, len(files), limits)
    found: list[tuple[str, Packed]] = []
    problems: list[BookProblem] = []
    packed_bytes = path.stat().st_size
    for index, file in enumerate(files):
        raw = file.filename
        name = safe_name(raw)
        if file.is_directory or (name is not None and is_litter(name)):
            continue
        if name is None:
            problems.append(BookProblem(raw, escape_error(path, raw)))
        elif not _is_plain(file):
            problems.append(BookProblem(name, no_plain_file(path, name)))
        elif error := size_refusal(path, name, file.uncompressed, packed_bytes, limits):
            problems.append(BookProblem(name, error))
        else:
            found.append((name, Packed(index, name, file.uncompressed, file.crc32)))
    unpacked_bytes = sum(file.uncompressed for file in files)
    check_total(path, [unpacked_bytes], limits)
    check_ratio(path, unpacked_bytes, packed_bytes, limits)  # all is decoded, also what is not kept
    return arrange(path, found, problems)


def _is_plain(file: ArchiveFile) -> bool:
    is_other_on_unix = file.st_fmt not in (None, 0, stat.S_IFREG)
    return not (is_other_on_unix or file.is_symlink or file.is_junction or file.is_socket)
