"""What a zip's directory says that makes a member, or the whole archive, one that must not be unpacked."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from enlarger.books.book import Limits
from enlarger.books.member_checks import encrypted_archive, encrypted_member, no_plain_file, size_refusal
from enlarger.errors import BookError
from enlarger.messages import msg

# not bzip2 and LZMA: zipfile unpacks those 4 KiB at a time whatever comes out, and 4 KiB of bzip2 can be 4 GB
_METHODS = frozenset({ZIP_STORED, ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # classic, strong, and an encrypted directory
_LOCAL_HEADER_BYTES = 30


def check_encryption(path: Path, members: Iterable[ZipInfo]) -> None:
    """Raises BookError for an archive of which no page is left to read when a password is the reason."""
    if any(map(_is_encrypted, members)):
        raise encrypted_archive(path)


def refusal(path: Path, name: str, member: ZipInfo, limits: Limits) -> BookError | None:
    """Why this one member is not read, or None when its directory entry is harmless."""
    if not _is_plain_file(member):
        return no_plain_file(path, name)
    if _is_encrypted(member):
        return encrypted_member(path, name)
    if member.compress_type not in _METHODS:
        return BookError(
            msg("{path}: {name} is packed by method {method}.", path=path, name=name, method=member.compress_type),
            msg("Unpack the archive with the program that made it and give the folder."),
        )
    return size_refusal(path, name, member.file_size, member.compress_size, limits)


def _is_encrypted(member: ZipInfo) -> bool:
    return bool(member.flag_bits & _ENCRYPTED)  # AES (method 99) sets the classic flag as well


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


def _is_plain_file(member: ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return kind in (0, stat.S_IFREG, stat.S_IFDIR)  # archives made on DOS and Windows hold no kind at all
