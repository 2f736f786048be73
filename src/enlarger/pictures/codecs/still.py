"""One loaded Pillow image into a Picture of 8 bits a channel, whatever mode it is in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures import colour
from enlarger.pictures.metadata import metadata_of
from enlarger.pictures.orientation import orientation_of
from enlarger.pictures.picture import Metadata, Picture
from enlarger.pictures.planes import BandReader, band_reader, grey_if_grey, read_planes

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


def still(image: ImageFile, kind: str, *, depth: int = 8, through_yuv: bool = False) -> Picture:
    """The image, loaded here. depth: bits a sample in the file. through_yuv: see `grey_if_grey`."""
    image.load()
    metadata, notes = metadata_of(image)
    read_band, metadata, lost = _colours(image, metadata, depth)
    pixels, alpha = read_planes(image, read_band)
    pixels = grey_if_grey(pixels, through_yuv=through_yuv)
    return Picture(pixels, alpha, metadata, kind, (*notes, *lost))


def stated_turn(image: ImageFile) -> int:
    """The orientation, 1 to 8, of an image just opened, which is closed here."""
    with image:
        return orientation_of(metadata_of(image)[0])


def brought_to_8_bits(bits: int) -> Message:
    """The note for a file whose depth its reader cannot give."""
    return msg("{depth} bits a channel were brought to 8.", depth=bits)


def _colours(image: ImageFile, metadata: Metadata, depth: int) -> tuple[BandReader, Metadata, list[Message]]:
    """How to read the pixels, the metadata without a profile that no longer describes them, and what is lost."""
    notes = [brought_to_8_bits(depth)] if depth > 8 else []
    if image.mode == "CMYK":
        convert, note = colour.cmyk_to_srgb(metadata.icc)
        return (lambda band: np.asarray(convert(band))), replace(metadata, icc=None), [*notes, note]
    if metadata.icc is not None and colour.profile_space(metadata.icc) != _space(image.mode):
        metadata = replace(metadata, icc=None)
        notes.append(colour.MISFIT)
    return band_reader(image, depth=depth), metadata, notes


def _space(mode: str) -> str:
    return colour.GREY if mode in ("1", "L", "LA") or mode.startswith("I") else colour.RGB
