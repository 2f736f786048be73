"""A TIFF stream patched where it stands: what EXIF blocks are, and TIFF files too.

A header, then directories of 12-byte entries whose values lie anywhere (TIFF 6.0, section 2; EXIF 2.32, 4.6). A rewrite
would move maker notes and break their offsets: here new things go to the end, and nothing else moves.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

EMPTY = b"II*\0" + struct.pack("<IHI", 8, 0, 0)  # one directory without entries, and no next one
SHORT, LONG, RATIONAL = 3, 4, 5
_ENTRY_BYTES = 12


@dataclass(frozen=True)
class Entry:
    """A directory entry to be written: `count` values of type `kind`, already packed in the stream's byte order."""

    tag: int
    kind: int
    count: int
    value: bytes


class TiffStream:
    """The stream with its byte order; every read of something that is not there gives None."""

    def __init__(self, data: bytes) -> None:
        self._bytes = bytearray(data)
        self.order: Literal["<", ">"] = ">" if data[:2] == b"MM" else "<"
        valid = data[:4] in (b"II*\0", b"MM\0*")
        self.main = (self._unpack("I", 4) if valid else None) or 0  # where the first directory starts; 0: nowhere

    @property
    def data(self) -> bytes:
        """The stream as it is now."""
        return bytes(self._bytes)

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def next_directory(self) -> int:
        """Where the directory after the first starts; 0: nowhere."""
        at = self._next_at()
        return (self._unpack("I", at) or 0) if at else 0

    def integer(self, directory: int, tag: int) -> int | None:
        """A single SHORT or LONG."""
        at = self._find(directory, tag)
        kind = None if at is None else self._unpack("H", at + 2)
        if at is None or kind not in (SHORT, LONG):
            return None
        return self._unpack("H" if kind == SHORT else "I", at + 8)

    def rational(self, directory: int, tag: int) -> float | None:
        """A single RATIONAL that is neither zero nor infinite."""
        at = self._find(directory, tag)
        if at is None or self._unpack("H", at + 2) != RATIONAL:
            return None
        value_at = self._unpack("I", at + 8) or 0
        above, below = self._unpack("I", value_at), self._unpack("I", value_at + 4)
        return above / below if above and below else None

    def put(self, directory: int, tag: int, value: int) -> None:
        """Set an entry that holds one integer; an absent one is not added."""
        if self.integer(directory, tag) is None:
            return
        at = self._find(directory, tag) or 0
        kind, code = (SHORT, "H2x") if value < 2**16 else (LONG, "I")
        struct.pack_into(f"{self.order}HI{code}", self._bytes, at + 2, kind, 1, value)

    def unlink_next(self) -> None:
        """No directory follows the first any more."""
        at = self._next_at()
        if at and self._unpack("I", at) is not None:
            struct.pack_into(f"{self.order}I", self._bytes, at, 0)

    def holds(self, at: int, size: int, beginning: bytes) -> bool:
        """Whether so many bytes from `at` on are there, and begin so."""
        return at + size <= len(self) and size >= len(beginning) and self._bytes.startswith(beginning, at)

    def overwrite(self, at: int, data: bytes) -> None:
        """Put `data` over what lies at `at`."""
        self._bytes[at : at + len(data)] = data

    def append(self, data: bytes) -> int:
        """Put `data` at the end, on an even offset, which is returned."""
        self._bytes += b"\0" * (len(self._bytes) % 2)
        at = len(self._bytes)
        self._bytes += data
        return at

    def pack(self, code: str, *values: int) -> bytes:
        """Numbers in the stream's byte order; `code` as in `struct`."""
        return struct.pack(f"{self.order}{code}", *values)

    def rewrite_main(self, entries: Collection[Entry], *, without: Collection[int] = (), last: bool = False) -> None:
        """Give the first directory new entries, in the place of those of the same tags and of `without`.

        It moves to the end; nothing else moves, so all offsets hold. `last`: no directory follows it then.
        """
        if not self.main or self._unpack("H", self.main) is None:
            return
        gone = {*without, *(entry.tag for entry in entries)}
        kept = [bytes(self._bytes[at : at + _ENTRY_BYTES]) for tag, at in self.entries(self.main) if tag not in gone]
        following = 0 if last else self.next_directory
        kept += [self._packed(entry) for entry in entries]
        kept.sort(key=lambda entry: int.from_bytes(entry[:2], "little" if self.order == "<" else "big"))
        self.main = self.append(self.pack("H", len(kept)) + b"".join(kept) + self.pack("I", following))
        struct.pack_into(f"{self.order}I", self._bytes, 4, self.main)

    def entries(self, directory: int) -> Iterator[tuple[int, int]]:
        """Tag and place of each whole entry."""
        for index in range(self._unpack("H", directory) or 0 if directory else 0):
            at = directory + 2 + index * _ENTRY_BYTES
            tag = self._unpack("H", at)
            if tag is None or at + _ENTRY_BYTES > len(self._bytes):
                return
            yield tag, at

    def _packed(self, entry: Entry) -> bytes:
        inside = entry.value.ljust(4, b"\0") if len(entry.value) <= 4 else self.pack("I", self.append(entry.value))
        return self.pack("HHI", entry.tag, entry.kind, entry.count) + inside

    def _next_at(self) -> int:
        count = self._unpack("H", self.main) if self.main else None
        return 0 if count is None else self.main + 2 + count * _ENTRY_BYTES

    def _find(self, directory: int, tag: int) -> int | None:
        return next((at for found, at in self.entries(directory) if found == tag), None)

    def _unpack(self, code: str, at: int) -> int | None:
        try:
            return int(struct.unpack_from(self.order + code, self._bytes, at)[0])
        except struct.error:
            return None
