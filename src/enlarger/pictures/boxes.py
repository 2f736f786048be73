"""What the boxes of AVIF and HEIC files say of depth and colours, which their readers do not pass on.

ISO/IEC 14496-12 (boxes), 23008-12 (the properties in meta/iprp/ipco), AV1-ISOBMFF 2.3.3 (av1C).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enlarger.messages import Message, msg
from enlarger.pictures.picture import Metadata

_PROPERTIES = (b"meta", b"iprp", b"ipco")
_FULL_BOXES = {b"meta"}  # four bytes of version and flags before their contents
_SRGB_PRIMARIES = {1, 2}  # ITU-T H.273: BT.709, or nothing said
_SRGB_TRANSFERS = {1, 2, 6, 13, 14, 15}  # the BT.709 family is shown as sRGB by all viewers
_MOST_BOXES = 4096


@dataclass(frozen=True)
class Described:
    """bits: a channel, 8 where nothing is said. colours: H.273's numbers of primaries and transfer, if stated."""

    bits: int = 8
    colours: tuple[int, int] | None = None


def described(data: bytes) -> Described:
    """What the properties of the file's items say; whatever is damaged says nothing."""
    bits, colours = 8, None
    for kind, body in _properties(data):
        bits = max(bits, _depth(kind, body))
        if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8 and colours is None:
            colours = int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big")
    return Described(bits, colours)


def colours_not_kept(found: Described, metadata: Metadata) -> tuple[Message, ...]:
    """The note for colours that only numbers describe, where they are not as good as sRGB's."""
    if metadata.icc is not None or found.colours is None:
        return ()
    primaries, transfer = found.colours
    if primaries in _SRGB_PRIMARIES and transfer in _SRGB_TRANSFERS:
        return ()
    return (
        msg(
            "The file states its colours by numbers (primaries {primaries}, transfer {transfer}) and has no profile: "
            "they were taken as sRGB.",
            primaries=primaries,
            transfer=transfer,
        ),
    )


def brands(data: bytes) -> tuple[bytes, ...]:
    """The major brand and those it is compatible with; nothing where the file is none of this family."""
    size = int.from_bytes(data[:4], "big")
    if data[4:8] != b"ftyp" or not 16 <= size <= 1024:
        return ()
    return (data[8:12], *(data[at : at + 4] for at in range(16, min(size, len(data)) - 3, 4)))


def _properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start, stop = 0, len(data)
    for wanted in _PROPERTIES:
        found = next(((at, end) for kind, at, end in _boxes(data, start, stop) if kind == wanted), None)
        if found is None:
            return
        start, stop = found[0] + 4 * (wanted in _FULL_BOXES), found[1]
    for kind, at, end in _boxes(data, start, stop):
        yield kind, data[at : min(end, at + 64)]


def _boxes(data: bytes, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the contents of each box in a row."""
    for _ in range(_MOST_BOXES):
        if start + 8 > stop:
            return
        size, kind, at = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, at = int.from_bytes(data[at : at + 8], "big"), at + 8
        end = stop if size == 0 else start + size
        if not at <= end <= stop:
            return
        yield kind, at, end
        start = end


def _depth(kind: bytes, body: bytes) -> int:
    if kind == b"av1C" and len(body) >= 3:
        return 8 if not body[2] & 0x40 else 12 if body[2] & 0x20 else 10
    if kind == b"hvcC" and len(body) >= 18:
        return 8 + (body[17] & 7)
    return 8
