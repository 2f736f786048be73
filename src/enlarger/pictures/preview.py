"""Small pictures of large ones, for shelves and strips of pages."""

from __future__ import annotations

import io
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from enlarger.pictures.decode import decode
from enlarger.pictures.depth import at_8_bits
from enlarger.pictures.picture import Picture, Pixels
from enlarger.pictures.seam import picture_errors, writing_errors

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

_QUALITY = 80
_METHOD = 2  # 4 takes twice the time for a few bytes in a hundred
_GAP = 3.0  # first by whole pixels to three times the size, then exactly: as good to the eye, and several times faster
_JPEG = b"\xff\xd8\xff"
_ORIENTATION = 0x0112


def preview(data: bytes, *, name: str, width_px: int, height_px: int, max_megapixels: float) -> bytes:
    """The picture in `data` as a WebP file that fits into the box, upright, never larger than it is.

    Colours keep their profile, other metadata is left out. A JPEG is decoded at an eighth, a quarter or a half of its
    size where that is enough. Raises PictureError as `decode` does.
    """
    box = (width_px, height_px)
    image = _reduced_jpeg(data, name, box, max_megapixels) if data.startswith(_JPEG) else None
    if image is None:
        image = _whole(data, name, max_megapixels)
    with picture_errors(name):
        image.thumbnail(box, resample=_lanczos(), reducing_gap=_GAP)
    buffer = io.BytesIO()
    with writing_errors("WebP"):
        image.save(buffer, "WEBP", quality=_QUALITY, method=_METHOD, icc_profile=image.info.get("icc_profile") or b"")
    return buffer.getvalue()


def _reduced_jpeg(data: bytes, name: str, box: tuple[int, int], max_megapixels: float) -> Image | None:
    """None for the few that `decode` has to look at: CMYK, and those that are too large, which it refuses."""
    from PIL.Image import Transpose
    from PIL.JpegImagePlugin import JpegImageFile

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    with picture_errors(name), JpegImageFile(io.BytesIO(data)) as file:
        if file.mode not in ("L", "RGB") or file.width * file.height > max_megapixels * 1e6:
            return None
        orientation = _orientation(file)
        across, down = box if orientation < 5 else box[::-1]
        reduction = max(1.0, file.width / across, file.height / down)
        file.draft(None, (ceil(file.width / reduction), ceil(file.height / reduction)))
        file.load()
        turn = turns.get(orientation)
        return file.copy() if turn is None else file.transpose(turn)


def _orientation(file: Image) -> int:
    try:
        found = file.getexif().get(_ORIENTATION, 1)
    except Exception:  # hostile bytes can make Pillow's reader raise anything, and the picture is none the worse for it
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _whole(data: bytes, name: str, max_megapixels: float) -> Image:
    from PIL import Image

    picture = decode(data, name=name, max_megapixels=max_megapixels, animated=False)
    image = Image.fromarray(_pixels(picture))
    image.info["icc_profile"] = picture.metadata.icc
    return image


def _pixels(picture: Picture) -> Pixels:
    pixels = at_8_bits(picture.pixels)
    if picture.alpha is not None:
        colour = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        pixels = np.concatenate([colour, at_8_bits(picture.alpha)[..., None]], axis=2)
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _lanczos() -> Resampling:
    from PIL.Image import Resampling

    return Resampling.LANCZOS
