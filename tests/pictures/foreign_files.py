"""A file of each format with each thing that it can hold, made by the libraries themselves, not by the room."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - Pillow can save JPEG XL from now on
import tifffile
from picture_making import XMP, cmyk_profile, deep_noise, exif_of, file_of, image_of, scene
from PIL import Image

pillow_heif.register_heif_opener()

SAVED_AS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF", "jxl": "JXL", "tiff": "TIFF",
            "bmp": "BMP", "gif": "GIF"}  # fmt: skip
EXACT = {
    "webp": {"lossless": True, "exact": True},
    "avif": {"quality": 100, "subsampling": "4:4:4"},
    "heic": {"quality": -1, "chroma": 444, "matrix_coefficients": 0},
    "jxl": {"lossless": True},
}
EXIF = exif_of(Make="Camera", DateTimeOriginal="2024:01:02 03:04:05")
DURATIONS_MS = (100, 200, 50)
HEIGHT, WIDTH = 24, 32


@cache
def wide_profile() -> bytes:
    """Adobe RGB (1998): far from sRGB."""
    return bytes(imagecodecs.cms_profile("adobergb"))


def frames() -> list[np.ndarray]:
    return [np.roll(scene(HEIGHT, WIDTH, 3), 7 * shift, axis=1) for shift in range(3)]


def saved(kind: str, image: Image.Image | np.ndarray, **options: Any) -> bytes:
    if kind in ("jpeg", "png", "webp"):
        return file_of(image, kind, **options)
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else image_of(image)
    image.save(buffer, SAVED_AS[kind], **{**EXACT.get(kind, {}), **options})
    return buffer.getvalue()


def tiff(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"metadata": None, "compression": "zlib", **options})
    return buffer.getvalue()


def deep(kind: str) -> tuple[bytes, np.ndarray, int]:
    """A file of more than 8 bits, its samples over all of uint16, and how many levels of 65535 the codec may be off."""
    samples = deep_noise(HEIGHT, WIDTH, 3)
    if kind == "png":
        return bytes(imagecodecs.png_encode(samples)), samples, 0
    if kind == "tiff":
        return tiff(samples, photometric="rgb"), samples, 0
    if kind == "jxl":
        return bytes(imagecodecs.jpegxl_encode(samples, lossless=True)), samples, 0
    if kind == "avif":
        ten = samples >> 6
        return bytes(imagecodecs.avif_encode(ten, level=100, bitspersample=10)), np.rint(ten * (65535 / 1023)), 0
    buffer = io.BytesIO()
    pillow_heif.encode("RGB;16", (WIDTH, HEIGHT), samples.tobytes(), buffer, **EXACT["heic"])
    return buffer.getvalue(), samples, 64


def cmyk(kind: str) -> bytes:
    """Full cyan, which the profile calls a middle grey."""
    ink = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    return saved(kind, ink, icc_profile=cmyk_profile())


def animated(kind: str) -> bytes:
    if kind == "jxl":
        return bytes(imagecodecs.jpegxl_encode(np.stack(frames()), lossless=True))
    images = [image_of(frame) for frame in frames()]
    if kind == "gif":
        images = [image.quantize(256) for image in images]
    return saved(kind, images[0], save_all=True, append_images=images[1:], duration=list(DURATIONS_MS), loop=0)


def with_orientation(kind: str) -> bytes:
    """Laid on its side: EXIF's 6, or what the format has instead of it."""
    pixels = scene(HEIGHT, WIDTH, 3)
    if kind == "tiff":
        return tiff(pixels, photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    return saved(kind, pixels, exif=exif_of(Orientation=6))


def _tagged(kind: str) -> bytes:
    exif = Image.Exif()
    exif.load(EXIF)
    return saved(kind, scene(HEIGHT, WIDTH, 3), exif=exif if kind == "tiff" else EXIF)


def _transparent(kind: str) -> bytes:
    pixels = scene(HEIGHT, WIDTH, 4)
    if kind == "gif":
        image = image_of(pixels[..., :3]).quantize(255)
        image.paste(255, (0, 0, WIDTH // 2, HEIGHT))
        return saved(kind, image, transparency=255)
    return saved(kind, pixels)


def _with_xmp(kind: str) -> bytes:
    if kind == "tiff":
        return tiff(scene(HEIGHT, WIDTH, 3), photometric="rgb", extratags=[(700, 1, len(XMP % 1), XMP % 1, True)])
    return saved(kind, scene(HEIGHT, WIDTH, 3), xmp=XMP % 1)


def _with_dpi(kind: str) -> bytes:
    if kind in ("webp", "avif", "heic", "jxl"):
        return saved(
            kind, scene(HEIGHT, WIDTH, 3), exif=exif_of(XResolution=300.0, YResolution=240.0, ResolutionUnit=2)
        )
    return saved(kind, scene(HEIGHT, WIDTH, 3), dpi=(300, 240))


MADE: dict[str, tuple[Callable[[str], bytes], frozenset[str]]] = {
    "ICC": (lambda kind: saved(kind, scene(HEIGHT, WIDTH, 3), icc_profile=wide_profile()),
            frozenset({"jpeg", "png", "webp", "avif", "heic", "tiff"})),
    "EXIF": (_tagged, frozenset(SAVED_AS) - {"bmp", "gif"}),
    "XMP": (_with_xmp, frozenset(SAVED_AS) - {"bmp", "gif"}),
    "orientation": (with_orientation, frozenset({"jpeg", "png", "webp", "avif", "heic", "tiff"})),
    "DPI": (_with_dpi, frozenset(SAVED_AS) - {"gif"}),
    "alpha": (_transparent, frozenset({"png", "webp", "avif", "heic", "jxl", "tiff", "gif"})),
    "grey": (lambda kind: saved(kind, scene(HEIGHT, WIDTH, 1)), frozenset(SAVED_AS)),
    "16 bits": (lambda kind: deep(kind)[0], frozenset({"png", "tiff", "jxl", "avif", "heic"})),
    "CMYK": (cmyk, frozenset({"jpeg", "tiff"})),
    "animation": (animated, frozenset({"png", "webp", "gif", "avif", "jxl"})),
}  # fmt: skip
"""By what a file may hold: how one is made, and for which formats there is such a thing."""
