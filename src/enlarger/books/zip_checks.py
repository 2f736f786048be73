"""What a zip's directory says that makes a member, or the whole archive, one that must not be unpacked."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from enlarger.books.book import Limits
from enlarger.books.members import member_too_large
from enlarger.errors import BookError
from enlarger.messages import Message, msg

# not bzip2 and LZMA: zipfile unpacks those 4 KiB at a time whatever comes out, and 4 KiB of bzip2 can be 4 GB
_METHODS = frozenset({ZIP_STORED, ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # classic, strong, and an encrypted directory
_LOCAL_HEADER_BYTES = 30


def check_encryption(path: Path, members: Iterable[ZipInfo]) -> None:
    """Raises BookError for an archive of which no page is left to read when a password is the reason."""
    if any(map(_is_encrypted, members)):
        raise BookError(msg("{path}: is encrypted.", path=path), _encryption_remedy())


def refusal(path: Path, name: str, member: ZipInfo, limits: Limits) -> BookError | None:
    """Why this one member is not read, or None when its directory entry is harmless."""
    if not _is_plain_file(member):
        return BookError(
            msg("{path}: {name} is a link or a device, which pages never are.", path=path, name=name),
            msg("Repack the archive with the file itself in the link's place."),
        )
    if _is_encrypted(member):
        return BookError(msg("{path}: {name} is encrypted.", path=path, name=name), _encryption_remedy())
    if member.compress_type not in _METHODS:
        return BookError(
            msg("{path}: {name} is packed by method {method}.", path=path, name=name, method=member.compress_type),
            msg("Unpack the archive with the program that made it and give the folder."),
        )
    return _size_refusal(path, name, member, limits)


def _is_encrypted(member: ZipInfo) -> bool:
    return bool(member.flag_bits & _ENCRYPTED)  # AES (method 99) sets the classic flag as well


def _encryption_remedy() -> Message:
    return msg("Unpack the archive with its password and give the folder.")


def _size_refusal(path: Path, name: str, member: ZipInfo, limits: Limits) -> BookError | None:
    if member.file_size > limits.max_member_bytes:
        return member_too_large(path, name, limits)
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > limits.ratio_floor_bytes and ratio > limits.max_ratio:
        return BookError(
            msg(
                "{path}: {name} unpacks to {ratio} times its size, as in a zip bomb.",
                path=path,
                name=name,
                ratio=int(ratio),
            ),
            msg("If you trust the archive, unpack it yourself and give the folder."),
        )
    return None


def overlapping(members: Iterable[ZipInfo]) -> set[int]:
    """Header offsets of members that share bytes, by which a small archive claims to hold petabytes.

    See David Fifield, "A better zip bomb", WOOT 2019. No honest archive does it.
    """
    shared: set[int] = set()
    end, holder = -1, -1
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            shared |= {holder, member.header_offset}
        own_end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size
        if own_end > end:
            end, holder = own_end, member.header_offset
    return shared


def overlap_error(path: Path, name: str) -> BookError:
    """The error for one of the members that `overlapping` found."""
    return BookError(
        msg("{path}: {name} shares its bytes with another member, as in a zip bomb.", path=path, name=name),
        msg("Get the archive from another place; ordinary programs do not write such files."),
    )


def check_total(path: Path, members: Sequence[ZipInfo], limits: Limits) -> None:
    """Raises BookError when the members would unpack to more than `max_total_bytes`."""
    if sum(member.file_size for member in members) > limits.max_total_bytes:
        raise BookError(
            msg("{path}: unpacks to more than {limit} GiB.", path=path, limit=limits.max_total_bytes // 1024**3),
            msg("Split the archive into volumes."),
        )


def _is_plain_file(member: ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return kind in (0, stat.S_IFREG, stat.S_IFDIR)  # archives made on DOS and Windows hold no kind at all
