"""Metadata between files: taken from the one read, handed to the one written, with a note for what cannot go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from enlarger.messages import Message, msg
from enlarger.pictures import exif as exif_block
from enlarger.pictures import xmp as xmp_packet
from enlarger.pictures.formats import Format
from enlarger.pictures.picture import Metadata

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

EXIF_PREFIX = b"Exif\0\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_JPEG_SEGMENT_BYTES = 65533  # a marker's payload, its own length of two bytes taken off
_JPEG_XMP_BYTES = _JPEG_SEGMENT_BYTES - len(b"http://ns.adobe.com/xap/1.0/\0")
_JPEG_ICC_BYTES = 255 * (_JPEG_SEGMENT_BYTES - len(b"ICC_PROFILE\0") - 2)  # at most 255 numbered segments
_SRGB_GAMMA = 1 / 2.2
_BLOCKS = {"exif": msg("EXIF"), "xmp": msg("XMP"), "icc": msg("colour profile")}


def metadata_of(image: ImageFile) -> tuple[Metadata, list[Message]]:
    """What the loaded file carries, and notes for what it carries beside the picture that is left behind."""
    info = dict(image.info)
    if image.format == "JPEG" and info.get("jfif_unit") not in (1, 2):
        info.pop("dpi", None)  # Pillow's guess of 72, or an aspect ratio
    return metadata_from(info), _left_behind(image)


def metadata_from(info: Mapping[Any, Any]) -> Metadata:
    """The same from a codec's table: "exif", "xmp", "icc_profile" and "dpi", as Pillow names them."""
    exif = _exif(info)
    xmp = info.get("xmp")
    return Metadata(
        exif=exif,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp or None,
        icc=info.get("icc_profile") or None,
        dpi=_dpi(info.get("dpi"), exif),
    )


def carried(metadata: Metadata, target: Format, size: tuple[int, int]) -> tuple[Metadata, list[Message]]:
    """What of `metadata` a `target` file of `size` = (width, height) pixels gets, made true for it, and what is lost.

    The colour profile is not looked at: whether it fits is for `fitting`.
    """
    exif = exif_block.resized(metadata.exif, *size) if metadata.exif else None
    made = replace(metadata, exif=exif, xmp=metadata.xmp and xmp_packet.resized(metadata.xmp, *size))
    notes = []
    for kind, held in (("exif", target.exif), ("xmp", target.xmp)):
        if getattr(made, kind) and not held:
            made = replace(made, **{kind: None})
            notes.append(_not_held(_BLOCKS[kind], target))
    if target.dpi == "none" and made.dpi:
        made = replace(made, dpi=None)
        notes.append(_not_held(msg("resolution"), target))
    if target.dpi == "exif" and made.dpi and not _states(made.exif, made.dpi):
        made = replace(made, exif=exif_block.with_resolution(made.exif, made.dpi))
    if target.name == "jpeg":
        made, dropped = _without_too_large(made)
        notes += dropped
    return made, notes


def save_options(metadata: Metadata) -> dict[str, Any]:
    """Pillow's save options, by the names that most of its writers know."""
    blocks = {
        "exif": metadata.exif and EXIF_PREFIX + metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.icc,
        "dpi": metadata.dpi,
    }
    return {key: value for key, value in blocks.items() if value}


def _not_held(block: Message, target: Format) -> Message:
    return msg("{format} has no place for the {block}: it was dropped.", format=target.label, block=block)


def _without_too_large(metadata: Metadata) -> tuple[Metadata, list[Message]]:
    limits = {"exif": _JPEG_SEGMENT_BYTES, "xmp": _JPEG_XMP_BYTES, "icc": _JPEG_ICC_BYTES}
    notes = []
    for kind, limit in limits.items():
        if len(getattr(metadata, kind) or b"") > limit:
            metadata = replace(metadata, **{kind: None})
            notes.append(msg("The {block} is larger than JPEG can hold and was dropped.", block=_BLOCKS[kind]))
    return metadata, notes


def _exif(info: Mapping[Any, Any]) -> bytes | None:
    exif = info.get("exif")
    if exif is None and isinstance(text := info.get("Raw profile type exif"), str):  # as ImageMagick wrote it
        exif = _bytes_of_hex("".join(text.split("\n")[3:]))
    if not isinstance(exif, bytes):
        return None
    return exif.removeprefix(EXIF_PREFIX) or None


def _bytes_of_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _dpi(stated: Any, exif: bytes | None) -> tuple[float, float] | None:
    found = stated or (exif and exif_block.resolution(exif))
    if not found or not all(math.isfinite(value) and 0.5 <= value < 65535.5 for value in found):
        return None  # nothing, or more than JPEG can hold
    return float(found[0]), float(found[1])


def _states(exif: bytes | None, dpi: tuple[float, float]) -> bool:
    found = exif and exif_block.resolution(exif)
    return bool(found) and all(abs(a - b) < 0.01 for a, b in zip(found or (), dpi, strict=True))


def _left_behind(image: ImageFile) -> list[Message]:
    notes = []
    if "mp" in image.info:
        notes.append(msg("Further pictures in the file (a second view, a depth or gain map) were not kept."))
    if any(segment.startswith(_EXTENDED_XMP) for _, segment in getattr(image, "applist", ())):
        notes.append(msg("The part of XMP beyond one JPEG segment was not kept."))
    if _has_own_gamma(image.info):
        notes.append(msg("The PNG states a gamma of its own without a colour profile; it was not applied."))
    return notes


def only_the_first(frames: int) -> Message:
    """The note for what holds further frames or pages that go no further."""
    return msg("Of {count} frames only the first was kept.", count=frames)


def _has_own_gamma(info: dict[Any, Any]) -> bool:
    gamma = info.get("gamma")
    return gamma is not None and not {"srgb", "icc_profile"} & info.keys() and abs(gamma - _SRGB_GAMMA) > 0.01
