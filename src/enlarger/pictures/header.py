"""What a file is and how large, from its first bytes, whatever its name says."""

from __future__ import annotations

from enlarger.errors import PictureError
from enlarger.messages import msg
from enlarger.pictures import boxes
from enlarger.pictures.codecs import codec_for
from enlarger.pictures.formats import FORMATS
from enlarger.pictures.picture import Header
from enlarger.pictures.seam import picture_errors

_KINDS = (  # offset, magic number, format
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_OTHER_KINDS = (  # so that a person reads "Photoshop", not "no picture"
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftyp", "video"),
    (0, b"%PDF-", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"<svg", "SVG"),
)


def read_header(data: bytes, *, name: str) -> Header:
    """Format and stored size from the header alone; no pixel is decoded and no canvas allocated.

    `name` is what errors call the file. Raises PictureError for anything but the formats of FORMATS.
    """
    kind = _identify(data) or _refuse(data, name)
    with picture_errors(name):
        width, height = codec_for(kind).size(data)
    return Header(kind, width, height)


def is_on_its_side(data: bytes, *, name: str) -> bool:
    """Whether the picture is seen with the sides of `read_header` swapped; asks the metadata, so of the whole file.

    Raises PictureError as `read_header` does.
    """
    kind = _identify(data) or _refuse(data, name)
    with picture_errors(name):
        return codec_for(kind).turn(data) >= 5


def _identify(data: bytes) -> str | None:
    for offset, magic, kind in _KINDS:
        if data.startswith(magic, offset):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    found = boxes.brands(data)
    if found and found[0] in _HEIC_BRANDS:  # the major brand first: some AVIF files name HEIC's too
        return "heic"
    if _AVIF_BRANDS & set(found):
        return "avif"
    return "heic" if _HEIC_BRANDS & set(found) else None


def _refuse(data: bytes, name: str) -> str:
    if not data:
        raise PictureError(
            msg("{name}: the file is empty (zero bytes).", name=name), msg("Copy or download the file again.")
        )
    for offset, magic, other in _OTHER_KINDS:
        if data.startswith(magic, offset):
            raise PictureError(
                msg("{name}: this is a {kind} file, which cannot be read as a picture here.", name=name, kind=other),
                msg("Convert it to JPEG, PNG or WebP."),
            )
    raise PictureError(
        msg("{name}: this is not a picture.", name=name),
        msg("Hand in pictures of these formats: {formats}. The name is free.",
            formats=", ".join(entry.label for entry in FORMATS.values())),
    )  # fmt: skip
