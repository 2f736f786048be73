"""EXIF read and patched where it stands: a rewrite would move the maker notes and break their offsets.

An EXIF block is a TIFF stream: a header, then directories of 12-byte entries (TIFF 6.0, section 2; EXIF 2.32, 4.6).
A block that cannot be understood is left exactly as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

_ORIENTATION = 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_EXIF_DIRECTORY, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0x8769, 0xA002, 0xA003
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_INCH, _CENTIMETRE = 2, 3
_ENTRY_BYTES = 12
_EMPTY = b"II*\0" + struct.pack("<IHI", 8, 0, 0)  # one directory without entries, and no next one


def orientation(exif: bytes) -> int | None:
    """1 to 8 as EXIF numbers them; None where nothing valid is said."""
    tiff = _Tiff(exif)
    value = tiff.integer(tiff.main, _ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else None


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Dots per inch across and down, or None."""
    tiff = _Tiff(exif)
    across, down = tiff.rational(tiff.main, _X_RESOLUTION), tiff.rational(tiff.main, _Y_RESOLUTION)
    if across is None or down is None:
        return None
    unit = tiff.integer(tiff.main, _RESOLUTION_UNIT) or _INCH
    factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(unit)
    return None if factor is None else (across * factor, down * factor)


def made_upright(exif: bytes) -> bytes:
    """Orientation 1, and no thumbnail any more: it would be seen lying on its side."""
    tiff = _Tiff(exif)
    tiff.put(tiff.main, _ORIENTATION, 1)
    tiff.unlink_thumbnail()
    return tiff.data


def resized(exif: bytes, width: int, height: int) -> bytes:
    """The pixel dimensions it states, where it states any, set to `width` and `height`."""
    tiff = _Tiff(exif)
    directory = tiff.integer(tiff.main, _EXIF_DIRECTORY)
    if directory is not None:
        tiff.put(directory, _PIXEL_WIDTH, width)
        tiff.put(directory, _PIXEL_HEIGHT, height)
    return tiff.data


def with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Stating `dpi`: for formats that have no other place for it."""
    tiff = _Tiff(exif or _EMPTY)
    tiff.add_resolution(dpi)
    return tiff.data


class _Tiff:
    """The stream with its byte order; every read of something that is not there gives None."""

    def __init__(self, data: bytes) -> None:
        self._bytes = bytearray(data)
        self._order = ">" if data[:2] == b"MM" else "<"
        valid = data[:4] in (b"II*\0", b"MM\0*")
        self.main = (self._unpack("I", 4) if valid else None) or 0  # where the first directory starts; 0: nowhere

    @property
    def data(self) -> bytes:
        return bytes(self._bytes)

    def integer(self, directory: int, tag: int) -> int | None:
        at = self._find(directory, tag)
        kind = None if at is None else self._unpack("H", at + 2)
        if at is None or kind not in (_SHORT, _LONG):
            return None
        return self._unpack("H" if kind == _SHORT else "I", at + 8)

    def rational(self, directory: int, tag: int) -> float | None:
        at = self._find(directory, tag)
        if at is None or self._unpack("H", at + 2) != _RATIONAL:
            return None
        value_at = self._unpack("I", at + 8) or 0
        above, below = self._unpack("I", value_at), self._unpack("I", value_at + 4)
        return above / below if above and below else None

    def put(self, directory: int, tag: int, value: int) -> None:
        """Set an entry that holds one integer; an absent one is not added."""
        if self.integer(directory, tag) is None:
            return
        at = self._find(directory, tag) or 0
        kind, code = (_SHORT, "H2x") if value < 2**16 else (_LONG, "I")
        struct.pack_into(f"{self._order}HI{code}", self._bytes, at + 2, kind, 1, value)

    def unlink_thumbnail(self) -> None:
        """The thumbnail is the directory after the first."""
        count = self._unpack("H", self.main) if self.main else None
        next_at = self.main + 2 + (count or 0) * _ENTRY_BYTES
        if count is not None and self._unpack("I", next_at) is not None:
            struct.pack_into(f"{self._order}I", self._bytes, next_at, 0)

    def add_resolution(self, dpi: tuple[float, float]) -> None:
        """The first directory moves to the end with the new entries; nothing else moves, so all offsets hold."""
        count = self._unpack("H", self.main) if self.main else None
        if count is None:
            return
        ours = (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT)
        kept = [bytes(self._bytes[at : at + _ENTRY_BYTES]) for tag, at in self._entries(self.main) if tag not in ours]
        following = self._unpack("I", self.main + 2 + count * _ENTRY_BYTES) or 0
        self._bytes += b"\0" * (len(self._bytes) % 2)
        values_at = len(self._bytes)
        for value in dpi:
            ratio = Fraction(value).limit_denominator(10_000)
            self._bytes += struct.pack(f"{self._order}II", ratio.numerator, ratio.denominator)
        pack = struct.Struct(f"{self._order}HHII").pack
        kept += [pack(_X_RESOLUTION, _RATIONAL, 1, values_at), pack(_Y_RESOLUTION, _RATIONAL, 1, values_at + 8)]
        kept.append(struct.pack(f"{self._order}HHIHH", _RESOLUTION_UNIT, _SHORT, 1, _INCH, 0))
        kept.sort(key=lambda entry: int.from_bytes(entry[:2], "little" if self._order == "<" else "big"))
        struct.pack_into(f"{self._order}I", self._bytes, 4, len(self._bytes))
        self._bytes += struct.pack(f"{self._order}H", len(kept)) + b"".join(kept)
        self._bytes += struct.pack(f"{self._order}I", following)

    def _entries(self, directory: int) -> Iterator[tuple[int, int]]:
        """Tag and place of each whole entry."""
        for index in range(self._unpack("H", directory) or 0 if directory else 0):
            at = directory + 2 + index * _ENTRY_BYTES
            tag = self._unpack("H", at)
            if tag is None or at + _ENTRY_BYTES > len(self._bytes):
                return
            yield tag, at

    def _find(self, directory: int, tag: int) -> int | None:
        return next((at for found, at in self._entries(directory) if found == tag), None)

    def _unpack(self, code: str, at: int) -> int | None:
        try:
            return int(struct.unpack_from(self._order + code, self._bytes, at)[0])
        except struct.error:
            return None
