"""A zip or cbz as a book. Nothing is unpacked to disk, and what its headers say is not believed."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from zipfile import BadZipFile, ZipFile, ZipInfo

from enlarger.books.book import BookProblem, Limits, Page
from enlarger.books.members import Contents, arrange, escape_error, is_litter, is_page_name, safe_name
from enlarger.books.zip_checks import (
    check_encryption,
    check_total,
    overlap_error,
    overlapping,
    refusal,
)
from enlarger.books.zip_directory import count_entries
from enlarger.books.zip_names import member_names
from enlarger.errors import BookError
from enlarger.messages import Message, msg

_CHUNK_BYTES = 1 << 20

# all that zipfile raises over hostile bytes (the fuzzing test found no other);
# UnicodeDecodeError is a ValueError, NotImplementedError a RuntimeError
_BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class ZipBook:
    """See `Book`. One lock makes `read` safe from any thread; pages are mostly stored, so little waits for it."""

    def __init__(self, path: Path, *, limits: Limits) -> None:
        """Raises BookError when the archive as a whole cannot or must not be read."""
        self.path = path
        self._lock = threading.Lock()
        self._archive = _open(path, limits)
        try:
            self._contents = _contents(path, self._archive.infolist(), limits)
        except BaseException:
            self._archive.close()
            raise

    @property
    def pages(self) -> Sequence[Page]:
        return self._contents.pages

    @property
    def extras(self) -> Sequence[str]:
        return self._contents.extras

    @property
    def problems(self) -> Sequence[BookProblem]:
        return self._contents.problems

    def read(self, name: str) -> bytes:
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        member = self._contents.source(self.path, name)
        found = 0
        try:
            for chunk in self._unpacked(member):
                found += len(chunk)
                yield chunk
        except _BROKEN as error:
            raise _damaged(self.path, name, _reason(error)) from error
        if found != member.file_size:
            short = msg("{found} of {stated} bytes", found=found, stated=member.file_size)
            raise _damaged(self.path, name, short)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(path: Path, limits: Limits) -> ZipFile:
    try:
        with path.open("rb") as file:
            entries = count_entries(file, at_most=limits.max_entries)
        if entries > limits.max_entries:
            raise BookError(
                msg("{path}: holds more than {limit} members.", path=path, limit=limits.max_entries),
                msg("Split the archive into volumes, or unpack it and give the folder."),
            )
        return ZipFile(path)
    except UnicodeDecodeError as error:
        raise BookError(
            msg("{path}: its names are marked as UTF-8 but are not.", path=path),
            msg("Unpack the archive with the program that made it and give the folder."),
        ) from error
    except _BROKEN as error:
        raise BookError(
            msg("{path}: its directory is missing or damaged ({reason}).", path=path, reason=_reason(error)),
            msg("The file was probably cut short: copy or download it again."),
        ) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _damaged(path: Path, name: str, reason: str | Message) -> BookError:
    return BookError(
        msg("{path}: {name} is damaged ({reason}).", path=path, name=name, reason=reason),
        msg("Copy or download the archive again; its other pages are not affected."),
    )


def _contents(path: Path, members: Sequence[ZipInfo], limits: Limits) -> Contents[ZipInfo]:
    found: list[tuple[str, ZipInfo]] = []
    problems: list[BookProblem] = []
    shared = overlapping(members)
    for name, member in _named_files(path, members, problems):
        overlap = overlap_error(path, name) if member.header_offset in shared else None
        if error := overlap or refusal(path, name, member, limits):
            problems.append(BookProblem(name, error))
        else:
            found.append((name, member))
    check_total(path, [member for _, member in found], limits)
    if not any(is_page_name(name) for name, _ in found):
        check_encryption(path, members)
    return arrange(path, found, problems)


def _named_files(path: Path, members: Sequence[ZipInfo], problems: list[BookProblem]) -> Iterator[tuple[str, ZipInfo]]:
    for raw, member in zip(member_names(members), members, strict=True):
        if raw.endswith(("/", "\\")):
            continue  # a folder: those that hold something are known from their members
        name = safe_name(raw)
        if name is None:
            problems.append(BookProblem(raw, escape_error(path, raw)))
        elif not is_litter(name):
            yield name, member
