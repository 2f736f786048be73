"""What a file is and how large, from its first bytes, whatever its name says."""

from __future__ import annotations

from enlarger.errors import PictureError
from enlarger.messages import msg
from enlarger.pictures.picture import Header
from enlarger.pictures.seam import open_image, picture_errors
from enlarger.pictures.webp import canvas_size

_OTHER_KINDS = (  # offset, magic number, kind: so that a person reads "GIF", not "no picture"
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (0, b"%PDF-", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
)


def read_header(data: bytes, *, name: str) -> Header:
    """Format and stored size from the header alone; no pixel is decoded and no canvas allocated.

    `name` is what errors call the file. Raises PictureError for anything but JPEG, PNG and WebP.
    """
    kind = _identify(data, name)
    with picture_errors(name):
        width, height = canvas_size(data) if kind == "webp" else _opened_size(data, kind)
    return Header(kind, width, height)


def check_pixel_limit(header: Header, *, name: str, max_megapixels: float) -> None:
    """Raises PictureError when the header promises more than `max_megapixels` million pixels."""
    megapixels = header.width * header.height / 1e6
    if megapixels > max_megapixels:
        raise PictureError(
            msg(
                "{name}: {width} x {height} pixels are {megapixels:.1f} megapixels; the limit is {limit:g}.",
                name=name,
                width=header.width,
                height=header.height,
                megapixels=megapixels,
                limit=max_megapixels,
            ),
            msg("If you trust the file, raise the limit with ENLARGER_MAX_MEGAPIXELS."),
        )


def _identify(data: bytes, name: str) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise _not_supported(data, name)


def _not_supported(data: bytes, name: str) -> PictureError:
    if not data:
        return PictureError(
            msg("{name}: the file is empty (zero bytes).", name=name), msg("Copy or download the file again.")
        )
    for offset, magic, other in _OTHER_KINDS:
        if data.startswith(magic, offset):
            return PictureError(
                msg("{name}: this is a {kind} file, which cannot be read as a picture here.", name=name, kind=other),
                msg("Convert it to JPEG, PNG or WebP."),
            )
    return PictureError(
        msg("{name}: this is not a picture.", name=name), msg("Hand in JPEG, PNG or WebP pictures; the name is free.")
    )


def _opened_size(data: bytes, kind: str) -> tuple[int, int]:
    with open_image(data, kind) as image:
        return image.size
