"""7z archives, EPUBs and PDFs as tests want them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import py7zr
from PIL import Image, ImageDraw

# ---- 7z ----


def write_seven_zip(path: Path, members: Mapping[str, bytes], **options: str) -> Path:
    with py7zr.SevenZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return path


# ---- EPUB ----

_CONTAINER = """<?xml version="1.0"?>
<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>"""
_XHTML = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>a title</title><style>p {{ }}</style></head>
<body>{}</body></html>"""


def xhtml(body: str) -> str:
    return _XHTML.format(body)


def write_epub(
    path: Path,
    documents: Mapping[str, str],
    pictures: Mapping[str, bytes],
    *,
    spine: Sequence[str] | None = None,
    cover: str = "",
    others: Mapping[str, str | bytes] | None = None,
) -> Path:
    """`documents` and `pictures` by their path below OEBPS/; the spine is the documents in order if not given."""
    items = {name: f"i{number}" for number, name in enumerate([*documents, *pictures])}
    manifest = "".join(
        f'<item id="{key}" href="{name}" media-type="x"{_properties(name == cover)}/>' for name, key in items.items()
    )
    order = "".join(f'<itemref idref="{items[name]}"/>' for name in (documents if spine is None else spine))
    opf = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{manifest}</manifest><spine>{order}</spine></package>'
    )
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", ZIP_STORED)
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("OEBPS/content.opf", opf)
        for name, data in (documents | pictures).items():
            archive.writestr(f"OEBPS/{name}", data)
        for name, data in (others or {}).items():
            archive.writestr(name, data)
    return path


def _properties(is_cover: bool) -> str:
    return ' properties="cover-image"' if is_cover else ""


# ---- PDF ----


@dataclass(frozen=True)
class PdfSheet:
    """A page: its content stream, its pictures by name, and further entries of its dictionary."""

    content: str
    images: Mapping[str, PdfPicture] | None = None
    box: tuple[float, float, float, float] = (0, 0, 200, 300)
    entries: str = ""


@dataclass(frozen=True)
class PdfPicture:
    """An image: its dictionary's entries, its data, and its soft mask."""

    entries: str
    data: bytes
    mask: bytes | None = None


def jpeg_picture(picture: Image.Image, entries: str = "", quality: int = 90) -> PdfPicture:
    space = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}[picture.mode]
    size = f"/Width {picture.width} /Height {picture.height} /ColorSpace {space} /BitsPerComponent 8"
    return PdfPicture(f"{size} /Filter /DCTDecode {entries}", encoded(picture, "JPEG", quality=quality))


def flate_picture(picture: Image.Image, entries: str = "", mask: bytes | None = None) -> PdfPicture:
    space = {"L": "/DeviceGray", "RGB": "/DeviceRGB"}[picture.mode]
    size = f"/Width {picture.width} /Height {picture.height} /ColorSpace {space} /BitsPerComponent 8"
    return PdfPicture(f"{size} /Filter /FlateDecode {entries}", zlib.compress(picture.tobytes()), mask)


def shown(name: str = "Im", box: tuple[float, float, float, float] = (0, 0, 200, 300)) -> str:
    left, bottom, right, top = box
    return f"q {right - left} 0 0 {top - bottom} {left} {bottom} cm /{name} Do Q"


def write_pdf(path: Path, sheets: Iterable[PdfSheet], trailer: str = "") -> Path:
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = [_add_sheet(objects, sheet) for sheet in sheets]
    refs = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{refs}] >>".encode()
    path.write_bytes(_numbered(objects, trailer))
    return path


def _add_sheet(objects: list[bytes], sheet: PdfSheet) -> int:
    names = {name: _add_picture(objects, picture) for name, picture in (sheet.images or {}).items()}
    content = _add(objects, _stream("", sheet.content.encode("latin-1")))
    xobjects = " ".join(f"/{name} {number} 0 R" for name, number in names.items())
    font = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    box = " ".join(map(str, sheet.box))
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {content} 0 R"
        f" /Resources << /XObject << {xobjects} >> {font} >> {sheet.entries} >>"
    )
    return _add(objects, page.encode())


def _add_picture(objects: list[bytes], picture: PdfPicture) -> int:
    entries = f"/Type /XObject /Subtype /Image {picture.entries}"
    if picture.mask is not None:
        size = " ".join(entries.split("/Width")[1].split("/ColorSpace")[0].split())
        mask = f"/Type /XObject /Subtype /Image /Width {size} /ColorSpace /DeviceGray /BitsPerComponent 8"
        number = _add(objects, _stream(mask, picture.mask))
        entries += f" /SMask {number} 0 R"
    return _add(objects, _stream(entries, picture.data))


def _add(objects: list[bytes], body: bytes) -> int:
    objects.append(body)
    return len(objects)


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _numbered(objects: Sequence[bytes], trailer: str) -> bytes:
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


# ---- pictures ----


def drawing(width: int = 200, height: int = 300, mode: str = "RGB") -> Image.Image:
    """A picture with no symmetry, so that a turned, mirrored or inverted one is told from it."""
    picture = Image.new("RGB", (width, height), (250, 245, 235))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 3, height // 4), fill=(200, 30, 30))
    draw.ellipse((width // 2, height // 2, width - 2, height - 2), fill=(20, 60, 180))
    draw.line((0, height, width, height // 3), fill=(0, 90, 0), width=3)
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
