"""TIFF of 1 to 16 bits: directories by tifffile, strips and tiles by imagecodecs; written by `tiff_writing`."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import Message
from enlarger.pictures import colour
from enlarger.pictures import exif as exif_block
from enlarger.pictures.codecs.codec import Codec, Reading
from enlarger.pictures.codecs.deep import deep_picture
from enlarger.pictures.codecs.libraries import tifffile
from enlarger.pictures.codecs.tiff_writing import STRUCTURE, write_tiff
from enlarger.pictures.depth import spread
from enlarger.pictures.metadata import metadata_from, only_the_first
from enlarger.pictures.orientation import orientation_of
from enlarger.pictures.picture import Metadata, Picture, Pixels

_XMP, _ICC, _INK_SET = 700, 34675, 332
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _INKS: 4, _YCBCR: 3}
_CMYK = 1
_PREMULTIPLIED, _UNASSOCIATED = 1, 2
# none, CCITT, LZW, JPEG, Deflate, PackBits, LZMA, ZSTD: imagecodecs never writes more of them than the strip holds
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000}
_MOST_SAMPLES = 8
_BYTES_A_MEGAPIXEL = 10**6 * _MOST_SAMPLES * 2


def _size(data: bytes) -> tuple[int, int]:
    with tifffile().TiffFile(io.BytesIO(data)) as file:
        page = _first_page(file)
        return int(page.imagewidth), int(page.imagelength)


def _read(data: bytes, reading: Reading) -> Picture:
    with tifffile().TiffFile(io.BytesIO(data)) as file:
        page = _first_page(file)
        _check(page, reading)
        notes = [only_the_first(count)] if (count := len(file.pages)) > 1 else []
        metadata = _metadata(data, page)
        samples, bits = _samples(page)
        if page.photometric == _INKS:
            samples, metadata, note = _without_inks(samples, metadata)
            notes.append(note)
        return deep_picture(samples, metadata, "tiff", bits, tuple(notes))


def _turn(data: bytes) -> int:
    with tifffile().TiffFile(io.BytesIO(data)) as file:
        return orientation_of(_metadata(data, _first_page(file)))


def _metadata(data: bytes, page: Any) -> Metadata:
    return metadata_from(
        {"exif": _exif(data), "xmp": _bytes_of(page, _XMP), "icc_profile": _bytes_of(page, _ICC),
         "dpi": exif_block.resolution(data)}
    )  # fmt: skip


def _first_page(file: Any) -> Any:
    if not len(file.pages):
        raise ValueError("no picture in it")
    return file.pages.first


def _check(page: Any, reading: Reading) -> None:
    """Raises ValueError for what is no picture for people, before memory is taken for it."""
    if page.compression not in _COMPRESSIONS:
        raise ValueError(f"compression {page.compression} is not read")
    if page.photometric not in _COLOURS or (page.photometric == _INKS and _value(page, _INK_SET, _CMYK) != _CMYK):
        raise ValueError(f"colours of kind {page.photometric} are not read")
    if page.sampleformat != 1 or not 1 <= page.bitspersample <= 16:
        raise ValueError(f"{page.bitspersample} bits of sample format {page.sampleformat} are not read")
    if page.samplesperpixel > _MOST_SAMPLES or page.nbytes > reading.max_megapixels * _BYTES_A_MEGAPIXEL:
        raise ValueError(f"{page.samplesperpixel} samples a pixel are not read")
    if (page.imagedepth, page.photometric == _YCBCR and page.compression != 7) != (1, False):
        raise ValueError("volumes and YCbCr that is not JPEG are not read")


def _samples(page: Any) -> tuple[Pixels, int]:
    """(H, W, colours and alpha) over all of their dtype, and the file's bits a sample."""
    raw = np.asarray(page.asarray())
    bits = int(page.bitspersample)
    raw = raw.reshape(*raw.shape[:2], -1) if page.planarconfig == 1 or raw.ndim == 2 else np.moveaxis(raw, 0, -1)
    if page.photometric == _PALETTE:
        return _through_palette(raw[..., 0], page.colormap)
    count = _COLOURS[page.photometric]
    samples = spread(raw.astype(np.uint8) if raw.dtype == bool else raw, bits)
    kinds = tuple(int(kind) for kind in page.extrasamples)
    if raw.shape[2] == count or not kinds or kinds[0] not in (_PREMULTIPLIED, _UNASSOCIATED):
        alpha = None
    else:
        alpha = samples[..., count]
    colours = samples[..., :count]
    if page.photometric == _WHITE_IS_ZERO:
        colours = ~colours
    if alpha is None:
        return colours, bits
    if kinds[0] == _PREMULTIPLIED:
        colours = _divided(colours, alpha)
    return np.dstack((colours, alpha)), bits


def _through_palette(indices: NDArray[Any], palette: NDArray[np.uint16]) -> tuple[Pixels, int]:
    """Colours have 16 bits there, but are 8 doubled in all files but a few."""
    table = np.ascontiguousarray(palette.T)
    if (table % 257 == 0).all() or (table & 255 == 0).all():
        return (table >> 8).astype(np.uint8)[indices], 8
    return table[indices], 16


def _divided(colours: Pixels, alpha: Pixels) -> Pixels:
    most = np.iinfo(colours.dtype).max
    weight = np.maximum(alpha, 1)[..., None].astype(np.uint32)
    divided: Pixels = np.minimum((colours.astype(np.uint32) * most + weight // 2) // weight, most).astype(colours.dtype)
    return divided


def _without_inks(samples: Pixels, metadata: Metadata) -> tuple[Pixels, Metadata, Message]:
    """CMYK as sRGB, through its profile where it has a usable one; alpha stays."""
    inks, icc = samples[..., :4], metadata.icc
    converted = None
    if icc is not None and colour.profile_space(icc) == colour.CMYK:
        converted = colour.inks_to_srgb(inks, icc)
    note = colour.INKS_THROUGH_PROFILE if converted is not None else colour.INKS_WITHOUT_PROFILE
    if converted is None:
        converted = colour.inks_to_rgb(inks)
    if samples.shape[2] > 4:
        converted = np.dstack((converted, samples[..., 4]))
    return converted, replace(metadata, icc=None), note


def _exif(data: bytes) -> bytes | None:
    """The file's own directories as an EXIF block, without what describes the file and not the picture."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(data)
        kept = [tag for tag in exif if tag not in STRUCTURE]
        for tag in [tag for tag in exif if tag in STRUCTURE]:
            del exif[tag]
        block = exif.tobytes() if kept else None
    except Exception:  # Pillow can raise anything where tifffile read well: then the picture comes without
        logging.getLogger(__name__).debug("EXIF of a TIFF file cannot be read", exc_info=True)
        return None
    return block


def _bytes_of(page: Any, tag: int) -> bytes | None:
    value = _value(page, tag, None)
    return value if isinstance(value, bytes) and value else None


def _value(page: Any, tag: int, default: Any) -> Any:
    found = page.tags.get(tag)
    return default if found is None else found.value


CODEC = Codec(_size, _read, write_tiff, _turn)
