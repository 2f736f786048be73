"""The names of a zip's members as text, whichever of the three ways a zip has of storing them was used."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from zipfile import ZipInfo

from enlarger.books.legacy_names import decode_names

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: version, CRC of the stored name, the name in UTF-8


def member_names(members: Sequence[ZipInfo]) -> list[str]:
    """The members' names as the archive's maker saw them, separators and all; not yet safe to use as paths."""
    known = [_declared_name(member) for member in members]
    unknown = [_stored_name(member) for member, name in zip(members, known, strict=True) if name is None]
    guessed = iter(decode_names(unknown))
    return [next(guessed) if name is None else name for name in known]


def _declared_name(member: ZipInfo) -> str | None:
    if member.flag_bits & _UTF8_FLAG:
        return member.orig_filename
    return _unicode_path(member.extra, _stored_name(member))


def _stored_name(member: ZipInfo) -> bytes:
    # zipfile reads every name without the flag as cp437, which maps all 256 bytes and so can be undone;
    # `filename` would not do: it is cut at NUL and has the system's separators changed
    return member.orig_filename.encode("cp437")


def _unicode_path(extra: bytes, stored: bytes) -> str | None:
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if tag == _UNICODE_PATH and len(field) > 5:
            version, checksum = struct.unpack_from("<BI", field)
            if version == 1 and checksum == zlib.crc32(stored):
                return field[5:].decode("utf-8", "replace")
    return None
