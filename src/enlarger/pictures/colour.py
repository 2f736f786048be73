"""Colour profiles: which fit, and CMYK, grey and RGB brought to sRGB where a profile cannot be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from enlarger.messages import Message, msg
from enlarger.pictures.picture import Metadata, Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

GREY, RGB, CMYK = "GRAY", "RGB", "CMYK"
_HEADER_BYTES = 128
_ROWS = 256  # converted at once, where the converter takes memory of its own
_GRID_STEPS = 9
_EXACT_BLACK_POINT = 0x2000 | 0x0100  # cmsFLAGS_BLACKPOINTCOMPENSATION, cmsFLAGS_NOOPTIMIZE
_SAME_LEVELS = 1  # of 255: what two roundings make

MISFIT = msg("The colour profile did not fit the picture and was dropped.")
INKS_THROUGH_PROFILE = msg("CMYK was converted to sRGB through its colour profile.")
INKS_WITHOUT_PROFILE = msg("CMYK without a usable colour profile was converted to RGB.")


def profile_space(icc: bytes) -> str | None:
    """The colour space of the data a profile describes (ICC.1:2022, 7.2.6), or None if it is no profile."""
    if len(icc) < _HEADER_BYTES or icc[36:40] != b"acsp":
        return None
    return icc[16:20].decode("latin-1").strip()


def fitting_profile(metadata: Metadata, space: str) -> tuple[Metadata, tuple[Message, ...]]:
    """Metadata of pixels in `space`, without a profile for another, which is told."""
    if metadata.icc is None or profile_space(metadata.icc) == space:
        return metadata, ()
    return replace(metadata, icc=None), (MISFIT,)


def is_srgb(icc: bytes) -> bool:
    """Whether the profile means what no profile means: sRGB, or its greys, within a level of 255."""
    mode = {GREY: "L", RGB: "RGB"}.get(profile_space(icc) or "")
    transform = _transform(icc, mode) if mode else None
    if transform is None or mode is None:
        return False
    from PIL import Image

    steps = np.linspace(0, 255, 256 if mode == "L" else _GRID_STEPS).round().astype(np.uint8)
    grid = steps[None] if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    converted = np.asarray(transform(Image.fromarray(grid))).astype(int)
    return int(np.abs(converted - (grid[..., None] if mode == "L" else grid)).max()) <= _SAME_LEVELS


def cmyk_to_srgb(icc: bytes | None) -> tuple[Callable[[Image], Image], Message]:
    """A function for CMYK images, through their profile where they have a usable one, and the note that tells."""
    if icc is not None and profile_space(icc) == CMYK and (transform := _transform(icc, "CMYK")):
        return transform, INKS_THROUGH_PROFILE
    return (lambda image: image.convert("RGB")), INKS_WITHOUT_PROFILE


def inks_to_srgb(inks: Pixels, icc: bytes) -> Pixels | None:
    """(H, W, 4) CMYK, 0 no ink, through its profile → (H, W, 3) sRGB of the same dtype; None if it is unusable."""
    if inks.dtype == np.uint16:
        return deep_transform(inks, icc, CMYK)
    transform = _transform(icc, CMYK)
    if transform is None:
        return None
    return _in_bands(inks, lambda band: _through_image(band, transform, CMYK))


def inks_to_rgb(inks: Pixels) -> Pixels:
    """The same without a profile: each ink and black take light away."""
    most = int(np.iinfo(inks.dtype).max)
    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    for top in range(0, len(inks), _ROWS):
        light = most - inks[top : top + _ROWS].astype(np.uint32)
        result[top : top + _ROWS] = (light[..., :3] * light[..., 3:] + most // 2) // most
    return result


def to_srgb(pixels: Pixels, icc: bytes) -> Pixels | None:
    """(H, W, 1 or 3) under a grey or RGB profile → the same colours in sRGB; None if the profile is unusable.

    Greys go through a table of all values: exact, fast, and free of the cast that rounding three channels gives.
    """
    if pixels.dtype == np.uint16:
        return _deep_to_srgb(pixels, icc)
    if pixels.shape[2] == 1:
        transform = _transform(icc, "L")
        return None if transform is None else np.take(_table(transform), pixels)
    transform = _transform(icc, "RGB")
    return None if transform is None else _in_bands(pixels, lambda band: _through_image(band, transform))


def greys_to_srgb(pixels: Pixels, icc: bytes) -> Pixels | None:
    """(H, W, 1), three equal channels under an RGB profile, which a neutral colour keeps so, → sRGB's greys."""
    most = int(np.iinfo(pixels.dtype).max)
    ramp = np.arange(most + 1, dtype=pixels.dtype).reshape(1, -1, 1)
    converted = to_srgb(np.repeat(ramp, 3, axis=2), icc)
    return None if converted is None else np.take(converted[0, :, 1], pixels)


def _table(transform: Callable[[Image], Image]) -> Pixels:
    from PIL import Image

    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    table: Pixels = np.asarray(transform(ramp))[0, :, 1]
    return table


def _through_image(band: Pixels, transform: Callable[[Image], Image], mode: str = RGB) -> Pixels:
    from PIL import Image

    size = band.shape[1], band.shape[0]
    return np.asarray(transform(Image.frombuffer(mode, size, np.ascontiguousarray(band), "raw", mode, 0, 1)))


def _deep_to_srgb(pixels: Pixels, icc: bytes) -> Pixels | None:
    if pixels.shape[2] == 1:
        ramp = np.arange(2**16, dtype=np.uint16)[None]
        converted = deep_transform(ramp, icc, GREY)
        return None if converted is None else np.take(converted[0, :, 1], pixels)
    return deep_transform(pixels, icc, RGB)


def deep_transform(samples: Pixels, icc: bytes, space: str) -> Pixels | None:
    """(H, W) grey or (H, W, 3 or 4) RGB or CMYK, uint16, through their profile → (H, W, 3) sRGB.

    None if the profile is unusable. By Little CMS, as Pillow's conversions of 8 bits, which know no others.
    """
    from enlarger.pictures.codecs.libraries import imagecodecs

    codecs = imagecodecs()
    how = {"colorspace": space.lower(), "outcolorspace": "rgb", "outdtype": np.uint16, "intent": 1}
    target, result = codecs.cms_profile("srgb"), np.empty((*samples.shape[:2], 3), np.uint16)
    try:
        for top in range(0, len(samples), _ROWS):
            band = np.ascontiguousarray(samples[top : top + _ROWS])
            result[top : top + _ROWS] = codecs.cms_transform(band, icc, target, flags=_EXACT_BLACK_POINT, **how)
    except (RuntimeError, ValueError, TypeError):  # damaged, or without the tables this direction needs
        return None
    return result


def _in_bands(pixels: Pixels, convert: Callable[[Pixels], Pixels]) -> Pixels:
    result = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for top in range(0, len(pixels), _ROWS):
        result[top : top + _ROWS] = convert(pixels[top : top + _ROWS])
    return result


def _transform(icc: bytes, mode: str) -> Callable[[Image], Image] | None:
    import io

    from PIL import ImageCms

    # Little CMS's shortcuts for grey and RGB are up to ten levels off in the shadows
    extra = ImageCms.Flags.NOOPTIMIZE if mode in ("L", RGB) else ImageCms.Flags.NONE
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
