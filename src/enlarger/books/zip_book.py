"""A zip or cbz as a book. Nothing is unpacked to disk, and what its headers say is not believed."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from enlarger.books.book import BookProblem, Limits
from enlarger.books.listed_book import ListedBook
from enlarger.books.member_checks import check_entries, check_total, damaged_archive, damaged_member
from enlarger.books.members import Contents, arrange, escape_error, is_litter, is_page_name, safe_name
from enlarger.books.zip_checks import check_encryption, overlap_error, overlapping, refusal
from enlarger.books.zip_directory import count_entries
from enlarger.books.zip_names import member_names
from enlarger.errors import BookError
from enlarger.messages import msg

_CHUNK_BYTES = 1 << 20
_Found = list[tuple[str, ZipInfo]]

# all that zipfile raises over hostile bytes (the fuzzing test found no other);
# UnicodeDecodeError is a ValueError, NotImplementedError a RuntimeError
_BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class ZipBook(ListedBook[ZipInfo]):
    """See `Book`. One lock makes `read` safe from any thread; pages are mostly stored, so little waits for it."""

    def __init__(self, path: Path, *, limits: Limits) -> None:
        """Raises BookError when the archive as a whole cannot or must not be read."""
        self._lock = threading.Lock()
        self._archive = _open(path, limits)
        try:
            found, problems = _members(path, self._archive.infolist(), limits)
            super().__init__(path, self._arranged(path, found, problems))
        except BaseException:
            self._archive.close()
            raise

    def _arranged(self, path: Path, found: _Found, problems: list[BookProblem]) -> Contents[ZipInfo]:
        if not any(is_page_name(name) for name, _ in found):
            check_encryption(path, self._archive.infolist())
        return arrange(path, found, problems)

    def _stated_bytes(self, source: ZipInfo) -> int | None:
        return source.file_size

    def _chunks(self, name: str, source: ZipInfo) -> Iterator[bytes]:
        return self._sound(self.path, name, source)

    def _sound(self, path: Path, name: str, source: ZipInfo) -> Iterator[bytes]:
        """The member's bytes; raises BookError when they are not what the directory states."""
        found = 0
        try:
            for chunk in self._unpacked(source):
                found += len(chunk)
                yield chunk
        except _BROKEN as error:
            raise damaged_member(path, name, _reason(error)) from error
        if found != source.file_size:
            short = msg("{found} of {stated} bytes", found=found, stated=source.file_size)
            raise damaged_member(path, name, short)

    def _unpacked(self, member: ZipInfo) -> Iterator[bytes]:
        with self._lock:
            file = self._archive.open(member)
        with file:
            while chunk := self._chunk(file):  # zipfile stops at the stated size, which was checked
                yield chunk

    def _chunk(self, file: IO[bytes]) -> bytes:
        with self._lock:
            return file.read(_CHUNK_BYTES)

    def close(self) -> None:
        with self._lock:
            self._archive.close()


def _open(path: Path, limits: Limits) -> ZipFile:
    try:
        with path.open("rb") as file:
            entries = count_entries(file, at_most=limits.max_entries)
        check_entries(path, entries, limits)
        return ZipFile(path)
    except UnicodeDecodeError as error:
        raise BookError(
            msg("{path}: its names are marked as UTF-8 but are not.", path=path),
            msg("Unpack the archive with the program that made it and give the folder."),
        ) from error
    except _BROKEN as error:
        raise damaged_archive(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _members(path: Path, members: Sequence[ZipInfo], limits: Limits) -> tuple[_Found, list[BookProblem]]:
    found: _Found = []
    problems: list[BookProblem] = []
    shared = overlapping(members)
    for name, member in _named_files(path, members, problems):
        overlap = overlap_error(path, name) if member.header_offset in shared else None
        if error := overlap or refusal(path, name, member, limits):
            problems.append(BookProblem(name, error))
        else:
            found.append((name, member))
    check_total(path, (member.file_size for _, member in found), limits)
    return found, problems


def _named_files(path: Path, members: Sequence[ZipInfo], problems: list[BookProblem]) -> Iterator[tuple[str, ZipInfo]]:
    for raw, member in zip(member_names(members), members, strict=True):
        if raw.endswith(("/", "\\")):
            continue  # a folder: those that hold something are known from their members
        name = safe_name(raw)
        if name is None:
            problems.append(BookProblem(raw, escape_error(path, raw)))
        elif not is_litter(name):
            yield name, member
