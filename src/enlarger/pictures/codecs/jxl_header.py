"""The head of a JPEG XL codestream, for what must be known before libjxl takes memory.

ISO/IEC 18181-1, annexes B (fields) and D (headers); 18181-2 (boxes).
"""

from __future__ import annotations

from dataclasses import dataclass

_BARE = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_MOST_HEAD_BYTES = 64
_MOST_BOXES = 256


@dataclass(frozen=True)
class JxlHeader:
    """Sides as stored, in pixels; bits a channel; whether the samples are floats; whether further frames follow.

    turn: 1 to 8 as EXIF counts; libjxl turns by it.
    """

    width: int
    height: int
    bits: int = 8
    is_float: bool = False
    animated: bool = False
    turn: int = 1


def jxl_header(data: bytes) -> JxlHeader:
    """Of a bare codestream or one in a container; raises ValueError where there is none."""
    bits = _Bits(_codestream(data)[2:])
    width, height = _sides(bits)
    if bits.take(1):  # all of the metadata is as by default
        return JxlHeader(width, height)
    animated, turn = False, 1
    if bits.take(1):
        turn = bits.take(3) + 1
        if bits.take(1):  # an intrinsic size
            _sides(bits)
        if bits.take(1):
            _preview(bits)
        animated = bool(bits.take(1))
        if animated:
            _animation(bits)
    depth, is_float = _depth(bits)
    return JxlHeader(width, height, depth, is_float, animated, turn)


class _Bits:
    """A stream of bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the JPEG XL header is cut short")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value

    def choose(self, *choices: tuple[int, int]) -> int:
        """U32: two bits choose how many follow, and what is added to them."""
        count, offset = choices[self.take(2)]
        return offset + self.take(count)


def _codestream(data: bytes) -> bytes:
    """Its first bytes."""
    if data.startswith(_BARE):
        return data[:_MOST_HEAD_BYTES]
    start = 0
    for _ in range(_MOST_BOXES):
        size, kind, at = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, at = int.from_bytes(data[at : at + 8], "big"), at + 8
        at += 4 * (kind == b"jxlp")  # its number
        if kind in (b"jxlc", b"jxlp") and data[at : at + 2] == _BARE:
            return data[at : at + _MOST_HEAD_BYTES]
        if size < 8:
            break
        start += size
    raise ValueError("no JPEG XL codestream")


def _sides(bits: _Bits) -> tuple[int, int]:
    in_eights = bits.take(1)
    height = _side(bits, in_eights)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, in_eights), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _side(bits: _Bits, in_eights: int) -> int:
    return (bits.take(5) + 1) * 8 if in_eights else bits.choose((9, 1), (13, 1), (18, 1), (30, 1))


def _preview(bits: _Bits) -> None:
    in_eights = bits.take(1)
    choices = ((0, 16), (0, 32), (5, 1), (9, 33)) if in_eights else ((6, 1), (8, 65), (10, 321), (12, 1345))
    bits.choose(*choices)
    if bits.take(3) == 0:
        bits.choose(*choices)


def _animation(bits: _Bits) -> None:
    bits.choose((0, 100), (0, 1000), (10, 1), (30, 1))
    bits.choose((0, 1), (0, 1001), (8, 1), (10, 1))
    bits.choose((0, 0), (3, 0), (16, 0), (32, 0))
    bits.take(1)


def _depth(bits: _Bits) -> tuple[int, bool]:
    if bits.take(1):
        return bits.choose((0, 32), (0, 16), (0, 24), (6, 1)), True
    return bits.choose((0, 8), (0, 10), (0, 12), (6, 1)), False
