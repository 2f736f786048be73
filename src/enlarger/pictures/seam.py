"""Where what codec libraries raise becomes a PictureError."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from enlarger.errors import PictureError
from enlarger.messages import msg

_limit_lock = threading.Lock()


@contextmanager
def picture_errors(name: str) -> Iterator[None]:
    """Map whatever a codec raises about the file `name` to PictureError."""
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
            msg(
                "{name}: the picture is cut short, damaged or of a rare kind ({reason}).",
                name=name,
                reason=_reason(error),
            ),
            msg("Copy or download the file again; if it opens elsewhere, save it anew as PNG."),
        ) from error


def _reason(error: Exception) -> str:
    """In one line; what a library did not foresee says nothing to a person but its kind."""
    said = " ".join(str(error).split())
    return type(error).__name__ if isinstance(error, LookupError) or not said else said


@contextmanager
def writing_errors(target: str) -> Iterator[None]:
    """Map what a codec raises while it writes a `target` file, as people call it, to PictureError."""
    try:
        yield
    except PictureError:
        raise
    except (OSError, ValueError, RuntimeError, MemoryError) as error:  # the encoders' ways to report a failure
        raise PictureError(
            msg("The result cannot be written as {format} ({reason}).", format=target, reason=error),
            msg("Choose another format, a smaller scale, or close other programs to free memory."),
        ) from error


@contextmanager
def without_pillows_limit() -> Iterator[None]:
    """Pillow's own pixel limit, a global of the whole process, lifted: ours is checked before.

    Only where its plugins look at it themselves; called directly and not through Image.open, most do not.
    """
    from PIL import Image

    with _limit_lock:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
