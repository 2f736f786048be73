"""Rars made byte by byte from the published formats: no free program writes them.

RAR 4: https://www.forensicswiki.org/wiki/RAR; RAR 5: https://www.rarlab.com/technote.htm. Members are stored, or
compressed by the plainest form of RAR 5's method: Huffman codes of one length for single bytes, no matches.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from zip_making import JPEG

_RAR4 = b"Rar!\x1a\x07\x00"
_RAR5 = b"Rar!\x1a\x07\x01\x00"
SYMLINK = 0o120777
_COPY = 5


@dataclass(frozen=True)
class RarMember:
    """One member; what is None is stated truthfully."""

    name: str | bytes
    data: bytes = JPEG
    crc: int | None = None
    stated_bytes: int | None = None
    packed: bool = False
    encrypted: bool = False
    mode: int = 0o100644
    link: str = ""
    link_type: int = 1

    @property
    def checksum(self) -> int:
        return zlib.crc32(self.data) if self.crc is None else self.crc

    @property
    def size(self) -> int:
        return len(self.data) if self.stated_bytes is None else self.stated_bytes


# ---- RAR 4 ----


def rar4(members: Iterable[RarMember], *, main_flags: int = 0) -> bytes:
    body = b"".join(_file4(member) for member in members)
    return _RAR4 + _block4(0x73, main_flags, bytes(6)) + body + _block4(0x7B, 0x4000, b"")


def _file4(member: RarMember) -> bytes:
    is_text = isinstance(member.name, str)
    name = member.name.encode() if isinstance(member.name, str) else member.name
    flags = 0x8000 | (0x200 if is_text and not name.isascii() else 0) | (0x4 if member.encrypted else 0)
    sizes = len(member.data), member.size, 3, member.checksum, 0x5A210000, 20, 0x30, len(name), member.mode
    return _block4(0x74, flags, struct.pack("<LLBLLBBHL", *sizes) + name) + member.data


def _block4(kind: int, flags: int, fields: bytes) -> bytes:
    header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header


# ---- RAR 5 ----


def rar5(members: Iterable[RarMember], *, solid: bool = False) -> bytes:
    main = _block5(1, b"", _number(0x4 if solid else 0))
    body = b"".join(_file5(member, continues=solid and number > 0) for number, member in enumerate(members))
    return _RAR5 + main + body + _block5(5, b"", _number(0))


def _file5(member: RarMember, *, continues: bool) -> bytes:
    name = member.name.encode() if isinstance(member.name, str) else member.name
    data = b"" if member.link else compressed5(member.data) if member.packed else member.data
    method = (0x40 if continues else 0) | (3 << 7 if member.packed else 0)
    fields = _number(0x4) + _number(member.size) + _number(member.mode) + struct.pack("<L", member.checksum)
    fields += _number(method) + _number(1) + _number(len(name)) + name
    return _block5(2, data, fields, _extra(member))


def _extra(member: RarMember) -> bytes:
    extra = b""
    if member.encrypted:
        extra += _record(b"\x01" + _number(0) + _number(0) + b"\x0f" + bytes(32))
    if member.link:
        target = member.link.encode()
        extra += _record(b"\x05" + _number(member.link_type) + _number(0) + _number(len(target)) + target)
    return extra


def _record(data: bytes) -> bytes:
    return _number(len(data)) + data


def _block5(kind: int, data: bytes, fields: bytes, extra: bytes = b"") -> bytes:
    flags = (1 if extra else 0) | (2 if data or kind == 2 else 0)
    header = _number(kind) + _number(flags)
    header += _number(len(extra)) if extra else b""
    header += _number(len(data)) if flags & 2 else b""
    header += fields + extra
    sized = _number(len(header)) + header
    return struct.pack("<L", zlib.crc32(sized)) + sized + data


def _number(value: int) -> bytes:
    """A variable-length integer: seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


# the numbers of symbols in RAR 5's four tables: literals and matches, distances, low bits of distances, lengths
_SYMBOLS, _DISTANCES, _LOW_DISTANCES, _LENGTHS = 306, 64, 16, 44


def compressed5(data: bytes) -> bytes:
    """`data` as one compressed block: each byte as a code of nine bits, the codes being in order of the symbols."""
    symbols = np.frombuffer(data, np.uint8).astype(">u2")
    codes = np.unpackbits(symbols.view(np.uint8).reshape(-1, 2), axis=1)[:, -9:].ravel()
    bits = np.concatenate([np.array(list(_tables()), np.uint8), codes])
    used = len(bits) % 8 or 8
    body = np.packbits(bits).tobytes()
    size = len(body).to_bytes(3, "little")
    flags = 0x80 | 0x40 | 2 << 3 | used - 1  # tables follow, the last block, a size of three bytes
    check = 0x5A ^ flags ^ size[0] ^ size[1] ^ size[2]
    return bytes([flags, check]) + size + body


def _tables() -> str:
    """Code lengths: 9 for each literal and match symbol, 6, 4 and 6 for the other tables, which are not used."""
    code_of = {4: "00", 6: "01", 9: "10"}
    lengths = "".join(f"{2 if n in (4, 6, 9) else 0:04b}" for n in range(20))
    wanted = [9] * _SYMBOLS + [6] * _DISTANCES + [4] * _LOW_DISTANCES + [6] * _LENGTHS
    return lengths + "".join(code_of[length] for length in wanted)


def write_rar(path: Path, members: dict[str, bytes], *, version: int = 5, **shape: bool) -> Path:
    """A rar of stored members, or with packed=True compressed ones."""
    packed = shape.pop("packed", False)
    made = [RarMember(name, data, packed=packed) for name, data in members.items()]
    path.write_bytes(rar5(made, **shape) if version == 5 else rar4(made))
    return path
