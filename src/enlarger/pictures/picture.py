"""The values this room gives and takes: a decoded picture, its header, its encoded form, the formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import Message

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Format:
    """A file format that can be read and written."""

    name: str
    suffix: str  # with the dot, as output files get it
    media_type: str
    max_side_px: int
    holds_alpha: bool
    holds_grey: bool


# JPEG could hold 65535, libjpeg's JPEG_MAX_DIMENSION is less
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "jpeg": Format("jpeg", ".jpg", "image/jpeg", 65500, holds_alpha=False, holds_grey=True),
        "png": Format("png", ".png", "image/png", 2**31 - 1, holds_alpha=True, holds_grey=True),
        "webp": Format("webp", ".webp", "image/webp", 16383, holds_alpha=True, holds_grey=False),
    }
)


@dataclass(frozen=True)
class Metadata:
    """What a file says about its picture, as found, except that the orientation says upright."""

    exif: bytes | None = field(default=None, repr=False)  # a TIFF stream, without JPEG's "Exif\0\0"
    xmp: bytes | None = field(default=None, repr=False)  # an XMP packet
    icc: bytes | None = field(default=None, repr=False)  # RGB or grey; None means sRGB
    dpi: tuple[float, float] | None = None  # across, down

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is there: of "dpi", "exif", "icc" and "xmp", in this order."""
        return tuple(kind for kind in ("dpi", "exif", "icc", "xmp") if getattr(self, kind))


@dataclass(frozen=True, eq=False)
class Picture:
    """Decoded pixels and all that is needed to give them back.

    pixels: (H, W, C) uint8, C = 1 grey or 3 RGB, upright, in the colour space of `metadata.icc`. One channel under
        an RGB profile means three equal ones, and is written as such.
    alpha: (H, W) uint8, not premultiplied, or None. A constant plane has strides (0, 0): see `alpha_is_constant`.
    format: what it came as, a key of `FORMATS`.
    notes: what decoding could not keep.
    """

    pixels: Pixels = field(repr=False)
    alpha: Pixels | None = field(repr=False)
    metadata: Metadata
    format: str
    notes: tuple[Message, ...] = ()

    @property
    def height(self) -> int:
        """In pixels, upright."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels, upright."""
        return int(self.pixels.shape[1])

    @property
    def alpha_is_constant(self) -> bool:
        """The alpha plane is there, but one value stands for all of it; known without looking at the pixels."""
        return self.alpha is not None and self.alpha.strides == (0, 0)


@dataclass(frozen=True)
class Header:
    """What the first bytes of a file say; sides in pixels as stored, before orientation."""

    format: str
    width: int
    height: int


@dataclass(frozen=True)
class Encoded:
    """A file's bytes, the format they truly are in, and what was lost or fell back on the way.

    kept: the kinds of metadata that the picture had and the file has, as `Metadata.kinds` names them.
    """

    data: bytes = field(repr=False)
    format: str
    notes: tuple[Message, ...] = ()
    kept: tuple[str, ...] = ()
