"""Zips made byte by byte, so that tests may state in them what no honest program would."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

JPEG = b"\xff\xd8\xff\xe0 a page, as far as books care \xff\xd9"


@dataclass(frozen=True)
class Member:
    """One member; what is None is stated truthfully."""

    name: bytes
    data: bytes = JPEG
    flags: int = 0
    method: int = ZIP_STORED
    stated_bytes: int | None = None
    packed: bytes | None = None
    mode: int = 0
    extra: bytes = b""
    offset: int | None = None
    crc: int | None = field(default=None)

    @property
    def stored(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == ZIP_DEFLATED else self.data

    def header(self) -> bytes:
        size = len(self.data) if self.stated_bytes is None else self.stated_bytes
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        names = len(self.name), len(self.extra)
        return struct.pack("<HHHHHLLLHH", 20, self.flags, self.method, 0, 33, crc, len(self.stored), size, *names)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def raw_zip(members: Iterable[Member]) -> bytes:
    body, directory, count = b"", b"", 0
    for member in members:
        offset = len(body) if member.offset is None else member.offset
        place = struct.pack("<HHHLL", 0, 0, 0, member.mode << 16, offset)
        directory += b"PK\x01\x02\x14\x03" + member.header() + place + member.name + member.extra
        body += b"PK\x03\x04" + member.header() + member.name + member.extra + member.stored
        count += 1
    return body + directory + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)


def write_raw_zip(path: Path, members: Iterable[Member]) -> Path:
    path.write_bytes(raw_zip(members))
    return path


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_folder(path: Path, members: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path
