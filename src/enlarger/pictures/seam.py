"""Where Pillow opens files, and where what it raises becomes a PictureError."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from enlarger.errors import PictureError
from enlarger.messages import msg

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_limit_lock = threading.Lock()


@contextmanager
def picture_errors(name: str) -> Iterator[None]:
    """Map whatever Pillow raises about the file `name` to PictureError."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(
            msg("{name}: there is not enough memory for this picture.", name=name),
            msg("Close other programs, or make the picture smaller."),
        ) from error
    except Exception as error:  # hostile bytes can make its decoders raise anything
        raise PictureError(
            msg("{name}: the picture is cut short, damaged or of a rare kind ({reason}).", name=name, reason=error),
            msg("Copy or download the file again; if it opens elsewhere, save it anew as PNG."),
        ) from error


@contextmanager
def writing_errors(target: str) -> Iterator[None]:
    """Map what Pillow raises while it writes a `target` file to PictureError."""
    try:
        yield
    except (OSError, ValueError, MemoryError) as error:  # its encoders' three ways to report a failure
        raise PictureError(
            msg("The result cannot be written as {format} ({reason}).", format=target.upper(), reason=error),
            msg("Choose another format, a smaller scale, or close other programs to free memory."),
        ) from error


def open_image(data: bytes, kind: str) -> ImageFile:
    """The file opened, its pixels not decoded; raises what Pillow raises.

    The plugins are called directly, not through Image.open: only the named kind is tried, and Pillow's own
    pixel limit, a global that belongs to the whole process, is left alone. Our limit is checked before.
    """
    stream = io.BytesIO(data)
    if kind == "webp":
        return _open_webp(stream)
    if kind == "png":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(stream)
    from PIL.JpegImagePlugin import JpegImageFile

    return JpegImageFile(stream)


def _open_webp(stream: io.BytesIO) -> ImageFile:
    from PIL import Image
    from PIL.WebPImagePlugin import WebPImageFile

    with _limit_lock:  # newer Pillows check the global limit in this plugin itself
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return WebPImageFile(stream)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
