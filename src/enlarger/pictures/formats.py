"""The file formats there are, what each holds, and the one list of suffixes that every room goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Format:
    """A file format that can be read and written, and what a file of it holds when Enlarger writes it.

    suffixes: with the dot, lower case; output files get the first, sources may have any.
    bits: the most a channel. alpha: "mask" is all or nothing. grey, grey_alpha: whether one channel, alone or with
    alpha, is written as one. dpi: "exif" has no place of its own for it.
    lossless: whether that is its nature, a choice, or out of reach.
    """

    name: str
    label: str  # as people write it
    suffixes: tuple[str, ...]
    media_type: str
    max_side_px: int
    bits: Literal[8, 10, 16] = 8
    alpha: Literal["none", "mask", "full"] = "full"
    grey: bool = True
    grey_alpha: bool = True
    icc: bool = True
    exif: bool = True
    xmp: bool = True
    dpi: Literal["own", "exif", "none"] = "exif"
    frames: bool = False
    lossless: Literal["always", "choice", "never"] = "choice"

    @property
    def suffix(self) -> str:
        """With the dot, as output files get it."""
        return self.suffixes[0]


# Sides: JPEG could hold 65535, libjpeg's JPEG_MAX_DIMENSION is less; libavif's readers stop at 32768 a side; HEVC's
# highest level ends at 16888, most decoders at 16384; JPEG XL's level 5 ends at 2^18; TIFF's and BMP's own numbers are
# larger than what their 32-bit file sizes leave.
_ALL = (
    Format(
        "jpeg",
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        "image/jpeg",
        65500,
        alpha="none",
        dpi="own",
        lossless="never",
    ),
    Format("png", "PNG", (".png", ".apng"), "image/png", 2**31 - 1, bits=16, dpi="own", frames=True, lossless="always"),
    Format("webp", "WebP", (".webp",), "image/webp", 16383, grey=False, frames=True),
    Format("avif", "AVIF", (".avif", ".avifs"), "image/avif", 32768, grey_alpha=False, frames=True),
    Format("heic", "HEIC", (".heic", ".heif", ".hif"), "image/heic", 16384, bits=10, grey_alpha=False),
    Format("jxl", "JPEG XL", (".jxl",), "image/jxl", 2**18, icc=False),
    Format("tiff", "TIFF", (".tif", ".tiff"), "image/tiff", 2**31 - 1, bits=16, dpi="own", lossless="always"),
    Format(
        "bmp",
        "BMP",
        (".bmp", ".dib"),
        "image/bmp",
        2**31 - 1,
        alpha="none",
        icc=False,
        exif=False,
        xmp=False,
        dpi="own",
        lossless="always",
    ),
    Format(
        "gif",
        "GIF",
        (".gif",),
        "image/gif",
        65535,
        alpha="mask",
        icc=False,
        exif=False,
        xmp=False,
        dpi="none",
        frames=True,
        lossless="never",
    ),
)
FORMATS: Mapping[str, Format] = MappingProxyType({entry.name: entry for entry in _ALL})

ALIASES: Mapping[str, str] = MappingProxyType({"jpg": "jpeg", "apng": "png", "tif": "tiff", "heif": "heic"})
"""Other names that people give formats."""

SUFFIXES: Mapping[str, str] = MappingProxyType({suffix: entry.name for entry in _ALL for suffix in entry.suffixes})
"""The format each suffix stands for."""

OUTPUT_SUFFIXES: tuple[str, ...] = tuple(entry.suffix for entry in _ALL)
"""What a written picture's name can end in."""


def format_named(name: str) -> str:
    """The key of FORMATS that a person means by `name`; what is no format comes back in lower case."""
    lower = name.lower()
    return ALIASES.get(lower, lower)


def spelled(suffix: str, format: str) -> str:  # noqa: A002  # the word every caller knows
    """The suffix of a result in `format` whose source has `suffix`: its own spelling where that says the same."""
    return suffix if SUFFIXES.get(suffix.lower()) == format else FORMATS[format].suffix
