"""A header that claims a picture far beyond the limit is refused by every format before memory is taken."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable

import pytest
from picture_making import file_of, scene

from enlarger.errors import PictureError
from enlarger.pictures import decode, encode, read_header

NAME = "vol 1/第3頁.jpg"
SIDE = 60_000
AVIF_SIDE = 16_384  # the most that its library reads at all


def bmp() -> bytes:
    data = bytearray(file_of(scene(8, 8, 3), "bmp"))
    data[18:26] = struct.pack("<ii", SIDE, SIDE)
    return bytes(data)


def gif() -> bytes:
    data = bytearray(file_of(scene(8, 8, 3), "gif"))
    data[6:10] = struct.pack("<HH", SIDE, SIDE)
    at = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))  # the first picture, after the palette
    data[at + 5 : at + 9] = struct.pack("<HH", SIDE, SIDE)
    return bytes(data)


def tiff() -> bytes:
    data = bytearray(file_of(scene(8, 8, 3), "tiff"))
    at = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, at)[0]):
        (tag,) = struct.unpack_from("<H", data, at + 2 + 12 * entry)
        if tag in (256, 257, 278):  # width, height, rows a strip
            struct.pack_into("<HHII", data, at + 2 + 12 * entry, tag, 4, 1, SIDE)
    return bytes(data)


def _with_ispe(kind: str, side: int) -> bytes:
    data = bytearray(encode(decode(file_of(scene(64, 64, 3)), name=NAME), format=kind).data)
    at = data.index(b"ispe")
    while at >= 0:
        data[at + 8 : at + 16] = struct.pack(">II", side, side)
        at = data.find(b"ispe", at + 4)
    return bytes(data)


def avif() -> bytes:
    return _with_ispe("avif", AVIF_SIDE)


def heic() -> bytes:
    return _with_ispe("heic", SIDE)


def jxl() -> bytes:
    """A bare codestream's beginning: both sides in 30 bits, no ratio."""
    bits = [0, *_number(3, 2), *_number(SIDE - 1, 30), *_number(0, 3), *_number(3, 2), *_number(SIDE - 1, 30)]
    bits += [0] * (-len(bits) % 8) + [0] * 800
    octets = (bits[at : at + 8] for at in range(0, len(bits), 8))
    return b"\xff\x0a" + bytes(sum(bit << place for place, bit in enumerate(octet)) for octet in octets)


def _number(value: int, width: int) -> list[int]:
    return [value >> place & 1 for place in range(width)]


@pytest.mark.parametrize("make", [bmp, gif, tiff, avif, heic, jxl])
def test_a_huge_header_is_refused_before_memory_is_taken(make: Callable[[], bytes]) -> None:
    data = make()
    decode(file_of(scene(8, 8, 3)), name=NAME)  # what is loaded at the first picture is not counted
    tracemalloc.start()
    try:
        with pytest.raises(PictureError) as caught:
            decode(data, name=NAME)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    refusal = caught.value.text("en")
    assert refusal.startswith(NAME)
    assert caught.value.remedy is not None
    assert "megapixels; the limit is 256." in refusal
    assert peak_bytes < 50 << 20
    assert read_header(data, name=NAME).width == (AVIF_SIDE if make is avif else SIDE)
