"""Pictures turned upright once, and their metadata told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from enlarger.pictures import exif, xmp
from enlarger.pictures.picture import Frame, Metadata, Picture, Pixels

_TURNS: dict[int, Callable[[Pixels], Pixels]] = {  # EXIF 2.32, 4.6.4.A: where row 0 and column 0 are
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def upright(picture: Picture) -> Picture:
    """The picture as its metadata says it is to be seen, all frames of it, and saying 1 from now on."""
    orientation = orientation_of(picture.metadata)
    if orientation == 1:
        return picture
    frames = tuple(_turned_frame(frame, orientation) for frame in picture.frames)
    return replace(picture, metadata=upright_metadata(picture.metadata, orientation)).with_frames(frames)


def orientation_of(metadata: Metadata) -> int:
    """1 to 8; XMP is asked only where EXIF says nothing, as most viewers do."""
    if metadata.exif and (value := exif.orientation(metadata.exif)) is not None:
        return value
    return (metadata.xmp and xmp.orientation(metadata.xmp)) or 1


def turned(plane: Pixels, orientation: int) -> Pixels:
    """(H, W, …) as stored → upright, contiguous; a constant plane stays one (strides 0)."""
    turn = _TURNS.get(orientation)
    if turn is None:
        return plane
    seen = turn(plane)
    return seen if plane.strides[:2] == (0, 0) else np.ascontiguousarray(seen)


def upright_metadata(metadata: Metadata, orientation: int) -> Metadata:
    """Saying 1, with across and down of the resolution swapped where the picture was laid on its side."""
    dpi = metadata.dpi[::-1] if metadata.dpi and orientation >= 5 else metadata.dpi
    return replace(said_upright(metadata), dpi=dpi)


def said_upright(metadata: Metadata) -> Metadata:
    """Saying 1, for pixels that lie so already, whatever was said: HEIC's and JPEG XL's decoders turn them."""
    return replace(
        metadata,
        exif=metadata.exif and exif.made_upright(metadata.exif),
        xmp=metadata.xmp and xmp.made_upright(metadata.xmp),
    )


def _turned_frame(frame: Frame, orientation: int) -> Frame:
    return Frame(turned(frame.pixels, orientation), None if frame.alpha is None else turned(frame.alpha, orientation))
