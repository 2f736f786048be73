"""Pictures turned upright once, and their metadata told so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from enlarger.pictures import exif
from enlarger.pictures.picture import Metadata, Pixels

_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)([1-8])")

_TURNS: dict[int, Callable[[Pixels], Pixels]] = {  # EXIF 2.32, 4.6.4.A: where row 0 and column 0 are
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def orientation_of(metadata: Metadata) -> int:
    """1 to 8; XMP is asked only where EXIF says nothing, as most viewers do."""
    if metadata.exif and (value := exif.orientation(metadata.exif)) is not None:
        return value
    found = _XMP_ORIENTATION.search(metadata.xmp or b"")
    return int(found[2]) if found else 1


def turned(plane: Pixels, orientation: int) -> Pixels:
    """(H, W, …) as stored → upright, contiguous; a constant plane stays one (strides 0)."""
    turn = _TURNS.get(orientation)
    if turn is None:
        return plane
    upright = turn(plane)
    return upright if plane.strides[:2] == (0, 0) else np.ascontiguousarray(upright)


def upright_metadata(metadata: Metadata, orientation: int) -> Metadata:
    """Saying 1, with across and down of the resolution swapped where the picture was laid on its side."""
    if orientation == 1:
        return metadata
    dpi = metadata.dpi[::-1] if metadata.dpi and orientation >= 5 else metadata.dpi
    return replace(
        metadata,
        exif=metadata.exif and exif.made_upright(metadata.exif),
        xmp=metadata.xmp and _XMP_ORIENTATION.sub(rb"\g<1>1", metadata.xmp),
        dpi=dpi,
    )
