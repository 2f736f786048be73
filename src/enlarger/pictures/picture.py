"""The values this room gives and takes: a decoded picture, its frames, its header, its encoded form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import Message

Pixels: TypeAlias = NDArray[np.uint8 | np.uint16]
"""Colours or alpha: all of 0..255, or, from files of more than 8 bits a channel, all of 0..65535."""


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
class Frame:
    """The pixels and alpha of one moment of an animation, the whole canvas, as a Picture's."""

    pixels: Pixels = field(repr=False)
    alpha: Pixels | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class Animation:
    """What makes a picture move: the frames after its first, how long each stays, and how often all are shown.

    later: each with as many channels as the first, alpha for all or none. durations_ms: of all frames, the first
    included. plays: 0 means for ever.
    """

    later: tuple[Frame, ...] = field(repr=False)
    durations_ms: tuple[int, ...]
    plays: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """Decoded pixels and all that is needed to give them back.

    pixels: (H, W, C), C = 1 grey or 3 RGB, upright, in the colour space of `metadata.icc`. One channel under
        an RGB profile means three equal ones, and is written as such. uint8, or uint16 where the file had more bits.
    alpha: (H, W) of the same dtype, not premultiplied, or None. A constant plane has strides (0, 0): see
        `alpha_is_constant`.
    format: what it came as, a key of `FORMATS`.
    notes: what decoding could not keep.
    bits: a channel, as the file had them; the values are spread over all of their dtype.
    animation: further frames, or None; `pixels` and `alpha` are the first one.
    """

    pixels: Pixels = field(repr=False)
    alpha: Pixels | None = field(repr=False)
    metadata: Metadata
    format: str
    notes: tuple[Message, ...] = ()
    bits: int = 8
    animation: Animation | None = None

    @property
    def height(self) -> int:
        """In pixels, upright."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels, upright."""
        return int(self.pixels.shape[1])

    @property
    def is_deep(self) -> bool:
        """Whether its samples have 16 bits."""
        return self.pixels.dtype == np.uint16

    @property
    def alpha_is_constant(self) -> bool:
        """The alpha plane is there, but one value stands for all of it; known without looking at the pixels."""
        return self.alpha is not None and self.alpha.strides == (0, 0)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All of them, the first included."""
        later = self.animation.later if self.animation else ()
        return (Frame(self.pixels, self.alpha), *later)

    def with_frames(self, frames: tuple[Frame, ...]) -> Picture:
        """The same picture with other pixels, as many frames as it has."""
        animation = self.animation and replace(self.animation, later=frames[1:])
        return replace(self, pixels=frames[0].pixels, alpha=frames[0].alpha, animation=animation)


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
