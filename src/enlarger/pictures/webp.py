"""WebP's container read by hand, for what must be known before libwebp sees the file (RFC 9649, section 2)."""

from __future__ import annotations

_RIFF_HEADER_BYTES = 12
_FRAME_HEADER_BYTES = 16


def canvas_size(data: bytes) -> tuple[int, int]:
    """Width and height as the first chunk claims them; opening with libwebp allocates two canvases of that size.

    Raises ValueError if there is no bitstream.
    """
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if chunk == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(body) == 10 and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise ValueError("no WebP bitstream")


def chunk(data: bytes, kind: bytes) -> bytes | None:
    """What the first chunk of that kind holds; None where there is none."""
    at = _RIFF_HEADER_BYTES
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == kind:
            return data[at + 8 : end]
        at = end + end % 2
    return None


def is_lossy(data: bytes) -> bool:
    """Whether the (first) picture was stored as YUV."""
    at = _RIFF_HEADER_BYTES
    while at + 8 <= len(data):
        chunk, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if chunk in (b"VP8 ", b"VP8L"):
            return chunk == b"VP8 "
        at += 8 + (_FRAME_HEADER_BYTES if chunk == b"ANMF" else size + size % 2)  # a frame's own chunks lie inside it
    return False
