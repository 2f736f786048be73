"""How many members a zip holds, counted before anything is made of them."""

from __future__ import annotations

import struct
from typing import BinaryIO

_END = b"PK\x05\x06"
_END_BYTES = 22
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_LOCATOR64_BYTES = 20
_END64_BYTES = 56 + _LOCATOR64_BYTES  # the record, and the locator that follows it
_ENTRY = b"PK\x01\x02"
_COMMENT_BYTES = 0xFFFF


def count_entries(file: BinaryIO, *, at_most: int) -> int:
    """The number of directory entries, or something above `at_most` when there are more.

    The count that the archive states is not believed: `zipfile` does not read it either, and makes an object
    of some 600 bytes from every entry it meets. An archive without a directory counts 0.
    """
    size = file.seek(0, 2)
    tail_start = max(0, size - _END_BYTES - _COMMENT_BYTES - _END64_BYTES)
    file.seek(tail_start)
    tail = file.read()
    end = _end_of_directory(tail)
    if end is None:
        return 0
    stop, length = end
    start = tail_start + stop - length
    file.seek(max(0, start))
    return _count(file, min(length, size), at_most)


def _end_of_directory(tail: bytes) -> tuple[int, int] | None:
    at = tail.rfind(_END, 0, len(tail) - _END_BYTES + len(_END))
    if at < 0:
        return None
    (length,) = struct.unpack_from("<L", tail, at + 12)
    at64 = at - _END64_BYTES
    if at64 >= 0 and tail.startswith(_END64, at64) and tail.startswith(_LOCATOR64, at - _LOCATOR64_BYTES):
        (length,) = struct.unpack_from("<Q", tail, at64 + 40)
        at = at64
    return at, length


def _count(file: BinaryIO, length: int, at_most: int) -> int:
    count, carried = 0, b""
    while length > 0 and count <= at_most and (chunk := file.read(min(length, 1 << 20))):
        length -= len(chunk)
        count += (carried + chunk).count(_ENTRY)
        carried = chunk[1 - len(_ENTRY) :]
    return count
