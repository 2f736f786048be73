"""What Enlarger reads from EXIF and makes true in it; a block that cannot be understood is left exactly as it is."""

from __future__ import annotations

from fractions import Fraction

from enlarger.pictures.tiff_stream import EMPTY, RATIONAL, SHORT, Entry, TiffStream

_IMAGE_WIDTH, _IMAGE_HEIGHT, _COMPRESSION, _ORIENTATION = 0x0100, 0x0101, 0x0103, 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_THUMBNAIL, _THUMBNAIL_BYTES = 0x0201, 0x0202
_EXIF_DIRECTORY, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0x8769, 0xA002, 0xA003
_INCH, _CENTIMETRE = 2, 3
_JPEG, _JPEG_BEGINS = 6, b"\xff\xd8"


def orientation(exif: bytes) -> int | None:
    """1 to 8 as EXIF numbers them; None where nothing valid is said."""
    tiff = TiffStream(exif)
    value = tiff.integer(tiff.main, _ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else None


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Dots per inch across and down, or None."""
    tiff = TiffStream(exif)
    across, down = tiff.rational(tiff.main, _X_RESOLUTION), tiff.rational(tiff.main, _Y_RESOLUTION)
    if across is None or down is None:
        return None
    unit = tiff.integer(tiff.main, _RESOLUTION_UNIT) or _INCH
    factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(unit)
    return None if factor is None else (across * factor, down * factor)


def made_upright(exif: bytes) -> bytes:
    """Orientation 1, and no thumbnail any more: it would be seen lying on its side."""
    tiff = TiffStream(exif)
    tiff.put(tiff.main, _ORIENTATION, 1)
    tiff.unlink_next()
    return tiff.data


def resized(exif: bytes, width: int, height: int) -> bytes:
    """The pixel dimensions it states, where it states any, set to `width` and `height`."""
    tiff = TiffStream(exif)
    tiff.put(tiff.main, _IMAGE_WIDTH, width)
    tiff.put(tiff.main, _IMAGE_HEIGHT, height)
    directory = tiff.integer(tiff.main, _EXIF_DIRECTORY)
    if directory is not None:
        tiff.put(directory, _PIXEL_WIDTH, width)
        tiff.put(directory, _PIXEL_HEIGHT, height)
    return tiff.data


def with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Stating `dpi`: for formats that have no other place for it."""
    tiff = TiffStream(exif or EMPTY)
    tiff.rewrite_main(resolution_entries(tiff, dpi))
    return tiff.data


def resolution_entries(tiff: TiffStream, dpi: tuple[float, float]) -> list[Entry]:
    """What states `dpi` in a directory of `tiff`."""
    ratios = [Fraction(value).limit_denominator(10_000) for value in dpi]
    across, down = (tiff.pack("II", ratio.numerator, ratio.denominator) for ratio in ratios)
    return [
        Entry(_X_RESOLUTION, RATIONAL, 1, across),
        Entry(_Y_RESOLUTION, RATIONAL, 1, down),
        Entry(_RESOLUTION_UNIT, SHORT, 1, tiff.pack("H", _INCH)),
    ]


def has_thumbnail(exif: bytes) -> bool:
    """Whether a directory follows the first: the one that describes the thumbnail."""
    return TiffStream(exif).next_directory > 0


def with_thumbnail(exif: bytes, jpeg: bytes | None) -> bytes:
    """`jpeg` in the place of the JPEG thumbnail there is; without one, or where there is another kind, none.

    The old one's bytes go, whatever takes their place: a thumbnail may show what was cut off since.
    """
    tiff = TiffStream(exif)
    directory = tiff.next_directory
    at, size = tiff.integer(directory, _THUMBNAIL) or 0, tiff.integer(directory, _THUMBNAIL_BYTES) or 0
    known = tiff.holds(at, size, _JPEG_BEGINS) and not any(at <= place < at + size for place in (tiff.main, directory))
    if known:
        tiff.overwrite(at, bytes(size))
    if not known or jpeg is None or tiff.integer(directory, _COMPRESSION) not in (None, _JPEG):
        tiff.unlink_next()
        return tiff.data
    if len(jpeg) > size:
        at = tiff.append(jpeg)
    else:
        tiff.overwrite(at, jpeg)
    tiff.put(directory, _THUMBNAIL, at)
    tiff.put(directory, _THUMBNAIL_BYTES, len(jpeg))
    return tiff.data
