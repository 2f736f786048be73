"""A TIFF file grown around its EXIF: the block is a TIFF stream already, so strips are put behind it.

tifffile and libtiff write directories of their own and would move EXIF's: maker notes, whose offsets count from the
start of the stream, would break. Here every byte of the block stays where it is; only its first directory is written
anew, behind the strips.
"""

from __future__ import annotations

import zlib
from typing import Final, Literal

from enlarger.pictures.codecs.codec import Manner
from enlarger.pictures.codecs.deep import interleaved
from enlarger.pictures.exif import resolution_entries
from enlarger.pictures.picture import Picture, Pixels
from enlarger.pictures.tiff_stream import EMPTY, LONG, SHORT, Entry, TiffStream

_BYTE, _UNDEFINED = 1, 7
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS_A_STRIP, _BYTE_COUNTS, _PLANAR, _PREDICTOR, _EXTRA, _FORMAT = 277, 278, 279, 284, 317, 338, 339
_XMP, _ICC = 700, 34675
_DEFLATE, _DIFFERENCES, _UNASSOCIATED_ALPHA = 8, 2, 2
_LEVEL = 3
_STRIP_BYTES = 1 << 20
_MOST_BYTES = 2**32 - 2**20  # offsets have 32 bits

STRUCTURE: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 282, 283, 284, 288, 289}
    | {290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 337}
    | {338, 339, 340, 341, 342, 343, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 700, 34675}
    | {32995, 32996, 32997, 32998}
)
"""The tags that say how a file holds its picture, with those whose place is in Metadata: resolution, XMP, profile."""


def write_tiff(picture: Picture, manner: Manner) -> bytes:
    """Strips of differences, deflated; the byte order is that of the EXIF block. Raises ValueError beyond 4 GiB."""
    exif = picture.metadata.exif or EMPTY
    stream = TiffStream(exif if TiffStream(exif).main else EMPTY)
    samples = interleaved(picture, as_rgb=manner.as_rgb)
    offsets, counts, rows = _strips(stream, samples)
    entries = [*_layout(stream, picture, samples, rows), *_carried(stream, picture)]
    entries += [
        Entry(_OFFSETS, LONG, len(offsets), stream.pack(f"{len(offsets)}I", *offsets)),
        Entry(_BYTE_COUNTS, LONG, len(counts), stream.pack(f"{len(counts)}I", *counts)),
    ]
    stream.rewrite_main(entries, without=STRUCTURE, last=True)
    return stream.data


def _strips(stream: TiffStream, samples: Pixels) -> tuple[list[int], list[int], int]:
    row_bytes = samples[0].nbytes
    rows = max(1, _STRIP_BYTES // row_bytes)
    offsets, counts = [], []
    for top in range(0, len(samples), rows):
        packed = zlib.compress(_differences(samples[top : top + rows], stream.order), _LEVEL)
        if len(stream) + len(packed) > _MOST_BYTES:
            raise ValueError("TIFF ends at 4 GiB")
        offsets.append(stream.append(packed))
        counts.append(len(packed))
    return offsets, counts, rows


def _differences(band: Pixels, order: Literal["<", ">"]) -> bytes:
    """Each sample less the one before it in its row (TIFF 6.0, section 14), wrapping round."""
    band = band.copy()
    band[:, 1:] -= band[:, :-1].copy()
    return band.astype(band.dtype.newbyteorder(order), copy=False).tobytes()


def _layout(stream: TiffStream, picture: Picture, samples: Pixels, rows: int) -> list[Entry]:
    channels = samples.shape[2] if samples.ndim == 3 else 1
    colours = channels - (picture.alpha is not None)

    def short(tag: int, *values: int) -> Entry:
        return Entry(tag, SHORT, len(values), stream.pack(f"{len(values)}H", *values))

    def long(tag: int, value: int) -> Entry:
        return Entry(tag, LONG, 1, stream.pack("I", value))

    entries = [
        long(_WIDTH, picture.width),
        long(_HEIGHT, picture.height),
        short(_BITS, *[samples.dtype.itemsize * 8] * channels),
        short(_COMPRESSION, _DEFLATE),
        short(_PHOTOMETRIC, 2 if colours == 3 else 1),
        short(_SAMPLES, channels),
        long(_ROWS_A_STRIP, rows),
        short(_PLANAR, 1),
        short(_PREDICTOR, _DIFFERENCES),
        short(_FORMAT, *[1] * channels),
    ]
    return [*entries, short(_EXTRA, _UNASSOCIATED_ALPHA)] if picture.alpha is not None else entries


def _carried(stream: TiffStream, picture: Picture) -> list[Entry]:
    metadata, entries = picture.metadata, []
    if metadata.dpi:
        entries += resolution_entries(stream, metadata.dpi)
    if metadata.xmp:
        entries.append(Entry(_XMP, _BYTE, len(metadata.xmp), metadata.xmp))
    if metadata.icc:
        entries.append(Entry(_ICC, _UNDEFINED, len(metadata.icc), metadata.icc))
    return entries
