"""Page files and archives for the command: good ones by drawing, bad ones by hand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

from demo.pages import draw_page

_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def page(seed: int, width: int = 60, height: int = 80, kind: str = "PNG", **options: Any) -> bytes:
    """A drawn page, grey."""
    return encoded(draw_page(seed, width, height), kind, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_pages(folder: Path, count: int, width: int = 60, height: int = 80, first: int = 0) -> Path:
    """`count` different pages, 000.png and so on."""
    for number in range(count):
        write(folder / f"{number:03}.png", page(first + number, width, height))
    return folder


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def encrypted(path: Path) -> Path:
    """The zip with every member marked as encrypted."""
    data = bytearray(path.read_bytes())
    for magic, flags in ((_LOCAL, 6), (_CENTRAL, 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(magic, at + 4)
    path.write_bytes(data)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims any size, with the beginning of its pixels."""
    claim = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", claim), (b"IDAT", zlib.compress(bytes(3 * 60_000 + 1))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def jpeg_header(width: int, height: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    data = bytearray(encoded(Image.new("RGB", (64, 64), "grey"), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)
