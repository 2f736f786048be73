"""A rar or cbr as a book. Stored members are read where they lie; for compressed ones all is unpacked once."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.books.book import BookProblem, Limits
from enlarger.books.legacy_names import decode_names
from enlarger.books.listed_book import ListedBook
from enlarger.books.member_checks import (
    check_entries,
    check_total,
    damaged_archive,
    damaged_member,
    encrypted_archive,
    encrypted_member,
    no_plain_file,
    size_refusal,
)
from enlarger.books.members import Contents, arrange, escape_error, is_litter, safe_name
from enlarger.books.rar_unpacking import unpack_into
from enlarger.books.spool import Spool
from enlarger.books.spooled import Packed, Sink, Spooled
from enlarger.books.unpackers import no_unpacker, unpackers
from enlarger.errors import BookError
from enlarger.messages import msg

if TYPE_CHECKING:
    from rarfile import RarFile, RarInfo

_CHUNK_BYTES = 1 << 20
BROKEN_HEADER = (struct.error, IndexError, ValueError, TypeError, OverflowError, EOFError)
"""What rarfile raises over hostile headers beside its own errors (the fuzzing test found no other)."""
_STORED = 0x30
_UNICODE_NAME = 0x200  # of RAR 4's flags: the name is no legacy one
_RAR5 = 50
_COPIES = (4, 5)  # RAR 5's redirections that mean another member: a hard link, a copy


class RarBook(ListedBook["RarInfo"]):
    """See `Book`. A copy or hard link within the archive is read as what it points to."""

    def __init__(self, path: Path, *, limits: Limits, spool: Spool) -> None:
        """Raises BookError when the archive as a whole cannot or must not be read."""
        self._archive = _opened(path)
        self._numbers = {id(member): index for index, member in enumerate(self._archive.infolist())}
        super().__init__(path, _contents(path, self._archive, limits))
        self._spooled = self._spool(spool)

    def _spool(self, spool: Spool) -> Spooled | None:
        compressed = [member for member in self._contents.sources.values() if not _is_stored(member)]
        if not compressed:
            return None
        if not unpackers():
            raise no_unpacker(self.path)
        members = [Packed(self._number(each), each.filename, each.file_size, each.CRC) for each in compressed]
        return Spooled(spool, self.path, {member.index: member for member in members}, self._unpack)

    def _stated_bytes(self, source: RarInfo) -> int | None:
        return source.file_size or None

    def _chunks(self, name: str, source: RarInfo) -> Iterator[bytes]:
        if self._spooled is not None and not _is_stored(source):
            return self._spooled.stream(self._number(source))
        return self._stored(name, source)

    def _stored(self, name: str, source: RarInfo) -> Iterator[bytes]:
        from rarfile import Error

        try:
            with self._archive.open(source) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except (Error, OSError, *BROKEN_HEADER) as error:
            raise damaged_member(self.path, name, str(error) or type(error).__name__) from error

    def _number(self, member: RarInfo) -> int:
        return self._numbers[id(member)]

    def _unpack(self, sink: Sink) -> None:
        unpack_into(self.path, self._archive.infolist(), sink)

    def close(self) -> None:
        if self._spooled is not None:
            self._spooled.close()


def _opened(path: Path) -> RarFile:
    import rarfile

    try:
        archive = rarfile.RarFile(path)
    except rarfile.NeedFirstVolume as error:
        raise BookError(
            msg("{path}: is a later part of an archive in several parts.", path=path),
            msg("Give the first part; the others must lie beside it."),
        ) from error
    except rarfile.RarCannotExec as error:  # for a comment, which is compressed
        raise no_unpacker(path) from error
    except (rarfile.Error, *BROKEN_HEADER) as error:
        raise damaged_archive(path, str(error) or type(error).__name__) from error
    if archive.needs_password() and not archive.infolist():
        raise encrypted_archive(path)
    if reason := archive.strerror() or _cut_short(archive):
        raise damaged_archive(path, reason)
    return archive


def _cut_short(archive: RarFile) -> str | None:
    """What is wrong when a member's bytes end beyond the end of the file that holds them."""
    for member in archive.infolist():
        volume = Path(member.volume_file)
        if member.data_offset + member.add_size > volume.stat().st_size:
            return f"{volume.name} < {member.data_offset + member.add_size} B"
    return None


def _contents(path: Path, archive: RarFile, limits: Limits) -> Contents[RarInfo]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    check_entries(path, len(members), limits)
    found: list[tuple[str, RarInfo]] = []
    problems: list[BookProblem] = []
    for raw, member in zip(_names(members), members, strict=True):
        name = safe_name(raw)
        if name is None:
            problems.append(BookProblem(raw, escape_error(path, raw)))
            continue
        if is_litter(name):
            continue
        target = _target(archive, member)
        error = no_plain_file(path, name) if target is None else _refusal(path, name, target, limits)
        if target is None or error is not None:
            problems.append(BookProblem(name, error or no_plain_file(path, name)))
        else:
            found.append((name, target))
    if not all(map(_is_stored, members)):  # then all before a page goes by on the way to it, also what is refused
        check_total(path, (member.file_size for member in members), limits)
    check_total(path, (member.file_size for _, member in found), limits)
    return arrange(path, found, problems)


def _names(members: Iterable[RarInfo]) -> list[str]:
    """The members' names; those that older programs stored without saying in which encoding are guessed together."""
    members = list(members)
    legacy = [member for member in members if _has_legacy_name(member)]
    guessed = dict(zip(map(id, legacy), decode_names([bytes(each.orig_filename) for each in legacy]), strict=True))
    return [guessed.get(id(member), member.filename) for member in members]


def _has_legacy_name(member: RarInfo) -> bool:
    return member.extract_version < _RAR5 and not member.flags & _UNICODE_NAME


def _target(archive: RarFile, member: RarInfo) -> RarInfo | None:
    """The member that holds the bytes; None for what is no plain file, or has a name in common with another."""
    import rarfile

    try:
        target = archive.getinfo_orig(member)
    except rarfile.Error:
        return None
    is_own = target is member or (member.file_redir and member.file_redir[0] in _COPIES)
    return target if is_own and target.is_file() and not target.file_redir else None


def _refusal(path: Path, name: str, member: RarInfo, limits: Limits) -> BookError | None:
    if member.needs_password():
        return encrypted_member(path, name)
    return size_refusal(path, name, member.file_size, member.compress_size, limits)


def _is_stored(member: RarInfo) -> bool:
    return bool(member.compress_type == _STORED)
