"""Bytes of a picture file into a Picture."""

from __future__ import annotations

from enlarger.pictures.codecs import Reading, codec_for
from enlarger.pictures.header import read_header
from enlarger.pictures.orientation import upright
from enlarger.pictures.picture import Picture
from enlarger.pictures.seam import picture_errors

DEFAULT_MAX_MEGAPIXELS = 256.0


def decode(data: bytes, *, name: str, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS, animated: bool = True) -> Picture:
    """The picture in `data`, upright, grey as one channel; what the file's name says does not matter.

    `name` is what errors call the file. The pixel limit is checked on the header, before memory is taken, and counts
    all frames. More than 8 bits a channel come as uint16. CMYK and what else a Picture does not hold is brought to what
    it does, and told in its notes. `animated`: further frames too; without, the first one and a note.
    Needs about seven bytes a pixel while it works (twice that for WebP and 16 bits). Thread-safe.
    Raises PictureError for what is no picture, is damaged, cut short, or larger than the limit.
    """
    header = read_header(data, name=name)
    reading = Reading(name, max_megapixels, animated)
    reading.check(header.width, header.height)
    with picture_errors(name):
        return upright(codec_for(header.format).read(data, reading))
