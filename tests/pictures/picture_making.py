"""Picture files made with Pillow alone, so that the room is not tested against itself."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
MODES_OF = {"jpeg": ("L", "RGB"), "png": ("L", "LA", "RGB", "RGBA"), "webp": ("RGB", "RGBA")}


def noise(height: int, width: int, channels: int, seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, channels) random, never grey by chance: red and blue differ in the first pixel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    if channels >= 3:
        pixels[0, 0, :3] = (200, 10, 90)
    return pixels


def deep_noise(height: int, width: int, channels: int, seed: int = 0) -> NDArray[np.uint16]:
    """The same of 16 bits."""
    pixels = np.random.default_rng(seed).integers(0, 65536, (height, width, channels), dtype=np.uint16)
    if channels >= 3:
        pixels[0, 0, :3] = (50_001, 2502, 22_503)
    return pixels


def scene(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Smooth shades that a lossy codec hardly changes."""
    down, across = np.mgrid[0:height, 0:width]
    shades = [down * 200 // height + 20, across * 200 // width + 20, (down + across) * 100 // (height + width) + 60]
    return np.stack([*shades, 255 - shades[0]][:channels], axis=-1).astype(np.uint8)


def image_of(array: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def file_of(image: Image.Image | NDArray[np.uint8], kind: str = "png", **options: Any) -> bytes:
    """`xmp` works for every format."""
    image = image if isinstance(image, Image.Image) else image_of(image)
    if kind == "png" and "xmp" in options:
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options.pop("xmp").decode())
    if kind == "webp":
        options = {"lossless": True, "exact": True, **options}
    buffer = io.BytesIO()
    image.save(buffer, kind.upper(), **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def array_of(data: bytes, mode: str) -> NDArray[np.uint8]:
    return np.asarray(opened(data).convert(mode))


def exif_of(*, order: str = "<", **tags: Any) -> bytes:
    """Names from PIL.ExifTags.Base, with JPEG's prefix; byte order "<" or ">"."""
    from PIL import ExifTags

    exif = Image.Exif()
    exif.endian = order
    for name, value in tags.items():
        if name in ("ExifImageWidth", "ExifImageHeight", "DateTimeOriginal"):
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base[name]] = value
        else:
            exif[ExifTags.Base[name]] = value
    return exif.tobytes()


@cache
def rgb_profile() -> bytes:
    """The same bytes for ever: Little CMS writes the time into a profile that it makes."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey_profile(gamma: float = 1.0) -> bytes:
    """A minimal grey display profile with a pure power curve."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": _D50, b"kTRC": curve})


def cmyk_profile() -> bytes:
    """A printer whose cyan ink is a middle grey (L* 50): nothing like what a plain conversion gives."""
    lab = {(255, 0, 0, 0): (128, 128, 128), (0, 0, 0, 0): (255, 128, 128)}
    corners = [tuple(255 * (n >> place & 1) for place in (3, 2, 1, 0)) for n in range(16)]
    grid = bytes(value for corner in corners for value in lab.get(corner, (0, 128, 128)))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + grid + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _D50, b"A2B0": table})


_D50 = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """ICC.1:2001-04 (version 2.4), clauses 6.1 to 6.3: header, tag table, tags."""
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    header = struct.pack(">I4xI4s4s4s", at + len(body), 0x02400000, kind, space, connection)
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _D50[8:]
    return header.ljust(128, b"\0") + table + body


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG from raw rows (without filter bytes), for what Pillow does not write; `extra` goes before the pixels."""
    stride = len(rows) // height if height else 0
    filtered = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height))
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(filtered))
    return b"\x89PNG\r\n\x1a\n" + head + extra + body + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
