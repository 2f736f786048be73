"""Colour profiles: which fit, and CMYK and grey brought to sRGB where a profile cannot be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures.picture import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

GREY, RGB, CMYK = "GRAY", "RGB", "CMYK"
_HEADER_BYTES = 128

MISFIT = msg("The colour profile did not fit the picture and was dropped.")


def profile_space(icc: bytes) -> str | None:
    """The colour space of the data a profile describes (ICC.1:2022, 7.2.6), or None if it is no profile."""
    if len(icc) < _HEADER_BYTES or icc[36:40] != b"acsp":
        return None
    return icc[16:20].decode("latin-1").strip()


def cmyk_to_srgb(icc: bytes | None) -> tuple[Callable[[Image], Image], Message]:
    """A function for CMYK images, through their profile where they have a usable one, and the note that tells."""
    if icc is not None and profile_space(icc) == CMYK and (transform := _transform(icc, "CMYK")):
        return transform, msg("CMYK was converted to sRGB through its colour profile.")
    return (lambda image: image.convert("RGB")), msg("CMYK without a usable colour profile was converted to RGB.")


def grey_to_srgb(pixels: Pixels, icc: bytes) -> Pixels | None:
    """(H, W, 1) under a grey profile → the same greys in sRGB; None if the profile is unusable.

    Through a table of 256 values: exact, fast, and free of the colour cast that rounding three channels gives.
    """
    from PIL import Image

    transform = _transform(icc, "L")
    if transform is None:
        return None
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table = np.asarray(transform(ramp))[0, :, 1]
    return np.take(table, pixels)


def _transform(icc: bytes, mode: str) -> Callable[[Image], Image] | None:
    import io

    from PIL import ImageCms

    # Little CMS's shortcut for one channel is up to ten levels off in the shadows of a linear profile
    extra = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
    try:
        made = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | extra,
        )
    except (ImageCms.PyCMSError, OSError):  # damaged, or without the tables this direction needs
        return None

    def apply(image: Image) -> Image:
        converted = ImageCms.applyTransform(image, made)
        assert converted is not None  # only None when applied in place
        return converted

    return apply
