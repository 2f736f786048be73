"""What Enlarger makes true in an XMP packet: patched as text, so that everything else stays byte for byte."""

from __future__ import annotations

import re

_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)([1-8])")
_SIDES = re.compile(
    rb"((?:tiff:Image(?P<tiff>Width|Length)|exif:Pixel(?P<exif>X|Y)Dimension)(?:\s*=\s*[\"']|>)\s*)[0-9]{1,10}"
)
_THUMBNAILS = re.compile(rb"<xmp:Thumbnails\b[^>]*>.*?</xmp:Thumbnails>", re.DOTALL)


def orientation(xmp: bytes) -> int | None:
    """1 to 8 as EXIF numbers them; None where nothing valid is said."""
    found = _ORIENTATION.search(xmp)
    return int(found[2]) if found else None


def made_upright(xmp: bytes) -> bytes:
    """Orientation 1, where one is stated."""
    return _ORIENTATION.sub(rb"\g<1>1", xmp)


def resized(xmp: bytes, width: int, height: int) -> bytes:
    """The pixel dimensions it states set to `width` and `height`, and no thumbnails of the old pixels."""

    def side(found: re.Match[bytes]) -> bytes:
        across = found["tiff"] == b"Width" or found["exif"] == b"X"
        return found[1] + str(width if across else height).encode()

    return _THUMBNAILS.sub(b"", _SIDES.sub(side, xmp))
