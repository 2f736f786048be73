"""Bytes of a JPEG, PNG or WebP file into a Picture."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures import colour
from enlarger.pictures.header import check_pixel_limit, read_header
from enlarger.pictures.metadata import metadata_of
from enlarger.pictures.orientation import orientation_of, turned, upright_metadata
from enlarger.pictures.picture import Metadata, Picture
from enlarger.pictures.planes import BandReader, band_reader, grey_if_grey, read_planes
from enlarger.pictures.seam import open_image, picture_errors
from enlarger.pictures.webp import is_lossy

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

DEFAULT_MAX_MEGAPIXELS = 256.0


def decode(data: bytes, *, name: str, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Picture:
    """The picture in `data`, upright, grey as one channel; what the file's name says does not matter.

    `name` is what errors call the file. The pixel limit is checked on the header, before memory is taken. Depths
    above 8 bits, CMYK and further frames are brought to what a Picture holds and told in its notes.
    Needs about seven bytes a pixel while it works (twice that for WebP). Thread-safe.
    Raises PictureError for what is no picture, is damaged, cut short, or larger than the limit.
    """
    header = read_header(data, name=name)
    check_pixel_limit(header, name=name, max_megapixels=max_megapixels)
    with picture_errors(name), closing(open_image(data, header.format)) as image:
        image.load()
        metadata, notes = metadata_of(image)
        read_band, metadata, lost = _colours(image, metadata, _depth(data, header.format))
        pixels, alpha = read_planes(image, read_band)
    pixels = grey_if_grey(pixels, through_yuv=header.format == "webp" and is_lossy(data))
    return _upright(Picture(pixels, alpha, metadata, header.format, (*notes, *lost)))


def _colours(image: ImageFile, metadata: Metadata, depth: int) -> tuple[BandReader, Metadata, list[Message]]:
    """How to read the pixels, the metadata without a profile that no longer describes them, and what is lost."""
    notes = [msg("{depth} bits a channel were brought to 8.", depth=depth)] if depth > 8 else []
    if image.mode == "CMYK":
        convert, note = colour.cmyk_to_srgb(metadata.icc)
        return (lambda band: np.asarray(convert(band))), replace(metadata, icc=None), [*notes, note]
    if metadata.icc is not None and colour.profile_space(metadata.icc) != _space(image.mode):
        metadata = replace(metadata, icc=None)
        notes.append(colour.MISFIT)
    return band_reader(image, depth=depth), metadata, notes


def _space(mode: str) -> str:
    return colour.GREY if mode in ("1", "L", "LA") or mode.startswith("I") else colour.RGB


def _upright(picture: Picture) -> Picture:
    orientation = orientation_of(picture.metadata)
    return replace(
        picture,
        pixels=turned(picture.pixels, orientation),
        alpha=None if picture.alpha is None else turned(picture.alpha, orientation),
        metadata=upright_metadata(picture.metadata, orientation),
    )


def _depth(data: bytes, kind: str) -> int:
    """Bits a sample; of the three formats only PNG is read at others than 8."""
    return data[24] if kind == "png" and data[12:16] == b"IHDR" else 8
