"""Metadata between files: taken from the one read, handed to the one written, with a note for what cannot go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from enlarger.messages import Message, msg
from enlarger.pictures import exif as exif_block
from enlarger.pictures.picture import Metadata

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_EXIF_PREFIX = b"Exif\0\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_JPEG_SEGMENT_BYTES = 65533  # a marker's payload, its own length of two bytes taken off
_JPEG_XMP_BYTES = _JPEG_SEGMENT_BYTES - len(b"http://ns.adobe.com/xap/1.0/\0")
_JPEG_ICC_BYTES = 255 * (_JPEG_SEGMENT_BYTES - len(b"ICC_PROFILE\0") - 2)  # at most 255 numbered segments
_SRGB_GAMMA = 1 / 2.2


def metadata_of(image: ImageFile) -> tuple[Metadata, list[Message]]:
    """What the loaded file carries, and notes for what it carries beside the picture that is left behind."""
    info = image.info
    exif = _exif(info)
    xmp = info.get("xmp")
    metadata = Metadata(
        exif=exif,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp or None,
        icc=info.get("icc_profile") or None,
        dpi=_dpi(image, exif),
    )
    return metadata, _left_behind(image)


def options_for(metadata: Metadata, target: str, size: tuple[int, int]) -> tuple[dict[str, Any], list[Message]]:
    """Pillow's save options that carry `metadata` in a `target` file of `size` = (width, height) pixels."""
    exif = exif_block.resized(metadata.exif, *size) if metadata.exif else None
    if target == "webp" and metadata.dpi and not _states(exif, metadata.dpi):
        exif = exif_block.with_resolution(exif, metadata.dpi)
    carried = {"exif": exif and _EXIF_PREFIX + exif, "xmp": metadata.xmp, "icc_profile": metadata.icc}
    notes = _drop_too_large(carried) if target == "jpeg" else []
    options: dict[str, Any] = {key: value for key, value in carried.items() if value}
    if target == "png" and "xmp" in options:
        options["pnginfo"] = _xmp_chunk(options.pop("xmp"))
    if metadata.dpi and target != "webp":
        options["dpi"] = metadata.dpi
    return options, notes


def kept_kinds(metadata: Metadata, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of `metadata.kinds` a file saved with these options of `options_for` holds."""
    carriers = {"dpi": {"dpi", "exif"}, "exif": {"exif"}, "icc": {"icc_profile"}, "xmp": {"xmp", "pnginfo"}}
    return tuple(kind for kind in metadata.kinds if carriers[kind] & options.keys())


def _drop_too_large(carried: dict[str, bytes | None]) -> list[Message]:
    limits = {"exif": _JPEG_SEGMENT_BYTES, "xmp": _JPEG_XMP_BYTES, "icc_profile": _JPEG_ICC_BYTES}
    names = {"exif": msg("EXIF"), "xmp": msg("XMP"), "icc_profile": msg("colour profile")}
    notes = []
    for key, limit in limits.items():
        if len(carried[key] or b"") > limit:
            carried[key] = None
            notes.append(msg("The {block} is larger than JPEG can hold and was dropped.", block=names[key]))
    return notes


def _xmp_chunk(xmp: bytes) -> Any:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)  # XMP specification part 3, 1.1.5
    return chunks


def _exif(info: dict[Any, Any]) -> bytes | None:
    exif = info.get("exif")
    if exif is None and isinstance(text := info.get("Raw profile type exif"), str):  # as ImageMagick wrote it
        exif = _bytes_of_hex("".join(text.split("\n")[3:]))
    if not isinstance(exif, bytes):
        return None
    return exif.removeprefix(_EXIF_PREFIX) or None


def _bytes_of_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _dpi(image: ImageFile, exif: bytes | None) -> tuple[float, float] | None:
    stated = image.info.get("dpi")
    if image.format == "JPEG" and image.info.get("jfif_unit") not in (1, 2):
        stated = None  # Pillow's guess of 72, or an aspect ratio
    found = stated or (exif and exif_block.resolution(exif))
    if not found or not all(math.isfinite(value) and 0.5 <= value < 65535.5 for value in found):
        return None  # nothing, or more than JPEG can hold
    return float(found[0]), float(found[1])


def _states(exif: bytes | None, dpi: tuple[float, float]) -> bool:
    found = exif and exif_block.resolution(exif)
    return bool(found) and all(abs(a - b) < 0.01 for a, b in zip(found or (), dpi, strict=True))


def _left_behind(image: ImageFile) -> list[Message]:
    notes = []
    if (frames := getattr(image, "n_frames", 1)) > 1:
        notes.append(msg("Of {count} frames only the first was kept.", count=frames))
    if "mp" in image.info:
        notes.append(msg("Further pictures in the file (a second view, a depth or gain map) were not kept."))
    if any(segment.startswith(_EXTENDED_XMP) for _, segment in getattr(image, "applist", ())):
        notes.append(msg("The part of XMP beyond one JPEG segment was not kept."))
    if _has_own_gamma(image.info):
        notes.append(msg("The PNG states a gamma of its own without a colour profile; it was not applied."))
    return notes


def _has_own_gamma(info: dict[Any, Any]) -> bool:
    gamma = info.get("gamma")
    return gamma is not None and not {"srgb", "icc_profile"} & info.keys() and abs(gamma - _SRGB_GAMMA) > 0.01
