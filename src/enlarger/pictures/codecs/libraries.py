"""The heavy codec libraries, imported when first needed; a missing one says which and how to get it."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from enlarger.errors import PictureError
from enlarger.messages import msg


def imagecodecs() -> Any:
    """libpng, libjxl, libavif and Little CMS with 16 bits a channel."""
    return _imported("imagecodecs", "imagecodecs")


def tifffile() -> Any:
    """TIFF's directories; its pixels are decoded by imagecodecs."""
    imagecodecs()  # without, tifffile falls back to decoders that know no bounds
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file is for its PictureError to say
    return _imported("tifffile", "tifffile")


def pillow_heif() -> Any:
    """libheif with its HEVC decoder and encoder."""
    return _imported("pillow_heif", "pillow-heif")


def pillow_jxl() -> Any:
    """libjxl, as the one that gives colour profiles and metadata."""
    return _imported("pillow_jxl", "pillow-jxl-plugin")


def _imported(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PictureError(
            msg("The library {package} is missing or does not work here ({reason}).", package=package, reason=error),
            msg("Install it beside Enlarger: pip install {package}", package=package),
        ) from error
