"""One page of a PDF: how it is best given as a picture. Everything here is called with `PDFIUM` held.

A page that shows one picture and nothing else gives that picture as it lies in the file; every other page is drawn.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil, hypot
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image
    from pypdfium2 import PdfImage, PdfMatrix, PdfObject, PdfPage

PDFIUM = threading.RLock()
"""PDFium knows nothing of threads: one at a time in this process, for closing too."""

POINTS_PER_INCH = 72
_OFF = 0.005  # of a side: how far a picture's edge may be from the page's and still be said to fill it
_LOOK_PX = 64  # of the shorter side
_LONGEST_LOOK_PX = 4096
_CELLS = 16
_UNLIKE_MEAN, _UNLIKE_CELL = 8, 32
_INVISIBLE_TEXT = 3

Way = Literal["jpeg", "pixels", "drawn"]


@dataclass(frozen=True)
class PagePlan:
    """How a page becomes a picture: a JPEG or its pixels taken out, or drawn at so many pixels a point."""

    index: int
    way: Way
    scale: float
    width_px: int
    height_px: int
    largest_px: int
    """Pixels of the largest picture on it, which drawing would decode."""

    @property
    def suffix(self) -> str:
        return ".jpg" if self.way == "jpeg" else ".png"


@dataclass(frozen=True)
class _Placed:
    """A picture on its page: (a, b, c, d, e, f) maps the unit square to where it is shown, in points."""

    image: PdfImage
    matrix: PdfMatrix

    def is_upright(self) -> bool:
        m = self.matrix
        return bool(m.a > 0 and m.d > 0 and abs(m.b) < _OFF * m.a and abs(m.c) < _OFF * m.d)

    def fills(self, left: float, bottom: float, right: float, top: float) -> bool:
        m, across, up = self.matrix, _OFF * (right - left), _OFF * (top - bottom)
        is_wide = max(abs(m.e - left), abs(m.e + m.a - right)) <= across
        return bool(is_wide and max(abs(m.f - bottom), abs(m.f + m.d - top)) <= up)

    def pixels_per_point(self) -> float:
        width, height = self.image.get_px_size()
        m = self.matrix
        return float(max(width / max(hypot(m.a, m.b), 1e-6), height / max(hypot(m.c, m.d), 1e-6)))


def plan_page(page: PdfPage, index: int, dpi: int) -> PagePlan:
    """How page number `index` is best given. Raises PdfiumError."""
    seen = list(page.get_objects())
    largest_px = max((w * h for w, h in (each.get_px_size() for each in seen if _is_image(each))), default=0)
    placed = _only_picture(page, seen)
    scale = dpi / POINTS_PER_INCH
    if placed is not None and placed.is_upright() and not page.get_rotation() and placed.fills(*_box(page)):
        width, height = placed.image.get_px_size()
        way: Way = "jpeg" if _is_jpeg(placed.image) else "pixels"
        return PagePlan(index, way, placed.pixels_per_point(), width, height, largest_px)
    if placed is not None:  # turned or cut: drawn at the picture's own resolution, nothing is lost
        scale = placed.pixels_per_point()
    return PagePlan(index, "drawn", scale, *_drawn_size(page, scale), largest_px)


def picture_of(page: PdfPage, plan: PagePlan) -> bytes:
    """The page as JPEG or PNG bytes. Raises PdfiumError, and OSError for a picture inside that is broken."""
    placed = _only_picture(page, list(page.get_objects())) if plan.way != "drawn" else None
    if placed is None:
        return _drawn(page, plan.scale)
    if plan.way == "jpeg":
        return _jpeg(page, placed.image) or _drawn(page, plan.scale)
    return _pixels(page, placed.image, plan.scale) or _drawn(page, plan.scale)


# ---- what is on the page ----


def _only_picture(page: PdfPage, objects: Sequence[PdfObject]) -> _Placed | None:
    """The page's picture, when nothing is shown besides; paths under it (a white ground) do not count."""
    from pypdfium2 import raw

    seen = [each for each in objects if _is_visible(each)]
    if not seen or not _is_image(seen[-1]) or _has_notes(page):
        return None
    if any(each.type != raw.FPDF_PAGEOBJ_PATH for each in seen[:-1]):
        return None
    return _Placed(seen[-1], _matrix(seen[-1]))


def _is_visible(each: PdfObject) -> bool:
    """Not a form, whose contents come after it, nor text for searching that lies unseen over a scan."""
    from pypdfium2 import raw

    if each.type == raw.FPDF_PAGEOBJ_TEXT:
        return bool(raw.FPDFTextObj_GetTextRenderMode(each) != _INVISIBLE_TEXT)
    return bool(each.type != raw.FPDF_PAGEOBJ_FORM)


def _has_notes(page: PdfPage) -> bool:
    """Whether there are annotations that can be seen; links cannot."""
    from pypdfium2 import raw

    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        kind = raw.FPDFAnnot_GetSubtype(note) if note else raw.FPDF_ANNOT_LINK
        if note:
            raw.FPDFPage_CloseAnnot(note)
        if kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
            return True
    return False


def _matrix(each: PdfObject) -> PdfMatrix:
    matrix, form = each.get_matrix(), each.container
    while form is not None:
        matrix, form = matrix.multiply(form.get_matrix()), form.container
    return matrix


def _is_image(each: PdfObject) -> bool:
    from pypdfium2 import raw

    return bool(each.type == raw.FPDF_PAGEOBJ_IMAGE)


def _box(page: PdfPage) -> tuple[float, float, float, float]:
    """What of the page is shown, in its own points: left, bottom, right, top."""
    from pypdfium2 import raw

    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, ctypes.byref(box))
    return box.left, box.bottom, box.right, box.top


def _drawn_size(page: PdfPage, scale: float) -> tuple[int, int]:
    return max(1, ceil(page.get_width() * scale)), max(1, ceil(page.get_height() * scale))


# ---- taking it out, or drawing it ----


def _is_jpeg(image: PdfImage) -> bool:
    return bool(image.get_filters(skip_simple=True) == ["DCTDecode"])


def _jpeg(page: PdfPage, image: PdfImage) -> bytes | None:
    """The JPEG as it lies in the file, if it is what the page shows."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    data = bytes(image.get_data(decode_simple=True))
    try:
        with Image.open(BytesIO(data)) as jpeg:
            jpeg.draft("RGB", (2 * _LOOK_PX, 2 * _LOOK_PX))
            return data if _is_shown(ImageOps.exif_transpose(jpeg), page) else None
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def _pixels(page: PdfPage, image: PdfImage, scale: float) -> bytes | None:
    """The exact pixels as PNG, if they are what the page shows."""
    from pypdfium2 import PdfiumError

    try:
        bitmap = image.get_bitmap()
    except PdfiumError:
        return None
    bitmap.warn_on_close = False  # it owns its pixels; they are encoded before it is closed
    try:
        picture = bitmap.to_pil()
        return _png(picture, scale) if _is_shown(picture, page) else None
    finally:
        bitmap.close()


def _is_shown(picture: Image.Image, page: PdfPage) -> bool:
    """Whether the page, drawn small on nothing, is covered all over and looks like `picture`.

    What a PDF may do to a picture is not all to be asked for: masks, clipping, inverted or mapped colours.
    """
    import numpy as np

    sides = page.get_width(), page.get_height()
    scale = min(min(_LOOK_PX, *picture.size) / min(sides), _LONGEST_LOOK_PX / max(sides))
    bitmap = page.render(scale=scale, fill_color=(0, 0, 0, 0))
    try:
        seen = bitmap.to_pil().convert("RGBA")
    finally:
        bitmap.close()
    alpha = np.asarray(seen.getchannel("A"))
    inner = alpha[1:-1, 1:-1] if min(alpha.shape) > 2 else alpha
    if inner.min() < 255:
        return False
    unlike = np.abs(_cells(seen) - _cells(picture))
    return bool(unlike.mean() <= _UNLIKE_MEAN and unlike.max() <= _UNLIKE_CELL)


def _cells(picture: Image.Image) -> NDArray[np.float32]:
    """A picture as (16, 16, 3) means, 0..255: what is left of it however it was made small."""
    import numpy as np
    from PIL import Image

    small = picture.convert("RGB").resize((_CELLS, _CELLS), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


def _grey_if_it_is(picture: Image.Image) -> Image.Image:
    import numpy as np

    pixels = np.asarray(picture)
    is_grey = (pixels[..., :1] == pixels).all()
    return picture.getchannel(0) if is_grey else picture


def _drawn(page: PdfPage, scale: float) -> bytes:
    bitmap = page.render(scale=scale)
    try:
        return _png(_grey_if_it_is(bitmap.to_pil()), scale)
    finally:
        bitmap.close()


def _png(picture: Image.Image, scale: float) -> bytes:
    file = BytesIO()
    dpi = scale * POINTS_PER_INCH
    picture.save(file, "PNG", compress_level=1, dpi=(dpi, dpi))
    return file.getvalue()
