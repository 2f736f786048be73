"""The seam between a file format's library and the rest of the room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from enlarger.errors import PictureError
from enlarger.messages import msg
from enlarger.pictures.picture import Picture


@dataclass(frozen=True)
class Reading:
    """What a codec must know besides the bytes.

    name: what errors call the file. max_megapixels: of all frames together. animated: whether further frames are
    wanted; without, only the first is decoded.
    """

    name: str
    max_megapixels: float
    animated: bool = True

    def check(self, width: int, height: int, frames: int = 1) -> None:
        """Raises PictureError when so many frames of this size are more than the limit."""
        megapixels = width * height * frames / 1e6
        if megapixels <= self.max_megapixels:
            return
        facts = {"name": self.name, "width": width, "height": height, "limit": self.max_megapixels}
        said = (
            msg("{name}: {width} x {height} pixels are {megapixels:.1f} megapixels; the limit is {limit:g}.",
                megapixels=megapixels, **facts)
            if frames == 1
            else msg(
                "{name}: {frames} frames of {width} x {height} pixels are {megapixels:.1f} megapixels; "
                "the limit is {limit:g}.",
                frames=frames, megapixels=megapixels, **facts)
        )  # fmt: skip
        raise PictureError(said, msg("If you trust the file, raise the limit with ENLARGER_MAX_MEGAPIXELS."))


@dataclass(frozen=True)
class Manner:
    """How a file is to be written: quality 1 to 100 where a format is lossy, or without loss where it can be.

    as_rgb: grey as three equal channels, because the profile is one for RGB, or the format knows no other.
    """

    quality: int
    lossless: bool
    as_rgb: bool = False


Size: TypeAlias = Callable[[bytes], tuple[int, int]]
Turn: TypeAlias = Callable[[bytes], int]
Read: TypeAlias = Callable[[bytes, Reading], Picture]
Write: TypeAlias = Callable[[Picture, Manner], bytes]


@dataclass(frozen=True)
class Codec:
    """One format. Each function raises whatever its library raises; `seam` maps it.

    size: (width, height) as stored, from the header alone: no pixel is decoded and no canvas allocated.
    read: the picture as stored; what its metadata says of orientation is still to be done.
    turn: 1 to 8 as EXIF counts: how what `size` measures is turned before it is seen. No pixel is decoded either.
    write: a picture whose depth, channels, alpha, frames and metadata the format holds: `fitting` saw to it.
    """

    size: Size
    read: Read
    write: Write
    turn: Turn = lambda _data: 1
