"""A PDF as a book of pictures: what fills a page is taken out as it is, all else is drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.books.book import BookProblem, Limits
from enlarger.books.fingerprint import file_digest, fingerprint
from enlarger.books.listed_book import ListedBook
from enlarger.books.member_checks import check_entries, damaged_member
from enlarger.books.members import Contents, arrange
from enlarger.books.pdf_page import PDFIUM, PagePlan, picture_of, plan_page
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.settings import Settings

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

    from enlarger.pictures import Header

_CHUNK_BYTES = 1 << 20


class PdfBook(ListedBook[PagePlan]):
    """See `Book`. Pages are called p0001.jpg or p0001.png; there are no extras."""

    def __init__(self, path: Path, *, limits: Limits, settings: Settings) -> None:
        """Raises BookError when the document cannot be read."""
        self._settings = settings
        self._document = _open(path)
        try:
            with PDFIUM:
                check_entries(path, len(self._document), limits)
                super().__init__(path, self._listed(path))
        except BaseException:
            self.close()
            raise

    def identity(self, name: str) -> str | None:
        """What stands for a page whose bytes are made by PDFium; None for a JPEG, whose bytes are in the file."""
        plan = self._contents.source(self.path, name)
        if plan.way == "jpeg":
            return None
        facts = (
            file_digest(self.path, self._settings.digests_dir),
            plan.index,
            self._settings.pdf_dpi,
            _pdfium_version(),
        )
        return hashlib.sha256("\0".join(map(str, facts)).encode()).hexdigest()

    def header(self, name: str) -> Header:
        """What the page's header will say, unless its picture turns out not to be what the page shows."""
        from enlarger.pictures import Header

        plan = self._contents.source(self.path, name)
        return Header("jpeg" if plan.way == "jpeg" else "png", plan.width_px, plan.height_px)

    def close(self) -> None:
        with PDFIUM:
            self._document.close()

    def _chunks(self, name: str, source: PagePlan) -> Iterator[bytes]:
        data = self._picture(name, source)
        for start in range(0, len(data), _CHUNK_BYTES):
            yield data[start : start + _CHUNK_BYTES]

    def _picture(self, name: str, plan: PagePlan) -> bytes:
        from pypdfium2 import PdfiumError

        try:
            with PDFIUM, _loaded(self._document, plan.index) as page:
                return picture_of(page, plan)
        except (PdfiumError, OSError, ValueError) as error:
            raise damaged_member(self.path, name, str(error)) from error

    def _listed(self, path: Path) -> Contents[PagePlan]:
        found: list[tuple[str, PagePlan]] = []
        problems: list[BookProblem] = []
        plans = _plans(fingerprint(path), self._settings.pdf_dpi)
        digits = max(4, len(str(len(plans))))
        for number, plan in enumerate(plans, start=1):
            stem = f"p{number:0{digits}}"
            if isinstance(plan, str):
                problems.append(BookProblem(f"{stem}.png", damaged_member(path, stem, plan)))
            elif max(plan.width_px * plan.height_px, plan.largest_px) > self._settings.max_megapixels * 1e6:
                problems.append(BookProblem(stem + plan.suffix, _too_large(path, stem, plan)))
            else:
                found.append((stem + plan.suffix, plan))
        return arrange(path, found, problems)


@lru_cache(maxsize=32)
def _plans(known: tuple[str, int, int], dpi: int) -> tuple[PagePlan | str, ...]:
    """How each page of the file is best given, or why it cannot be; kept: in a book of words looking takes long."""
    with PDFIUM:
        document = _open(Path(known[0]))
        try:
            return tuple(_plan(document, index, dpi) for index in range(len(document)))
        finally:
            document.close()


def _plan(document: PdfDocument, index: int, dpi: int) -> PagePlan | str:
    from pypdfium2 import PdfiumError

    try:
        with _loaded(document, index) as page:
            return plan_page(page, index, dpi)
    except PdfiumError as error:
        return str(error)


@contextmanager
def _loaded(document: PdfDocument, index: int) -> Iterator[PdfPage]:
    page = document[index]
    try:
        yield page
    finally:
        page.close()  # here and now: left to the collector, it would be closed on any thread


def _open(path: Path) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError, raw

    with path.open("rb"):  # whether it may be read: PDFium does not say why it failed
        pass
    with PDFIUM:
        try:
            return PdfDocument(path)
        except PdfiumError as error:
            if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
                raise BookError(
                    msg("{path}: needs a password.", path=path),
                    msg("Save a copy without the password, for example by printing it to a PDF."),
                ) from error
            raise BookError(
                msg("{path}: is no PDF that can be read ({reason}).", path=path, reason=str(error)),
                msg("The file was probably cut short: copy or download it again."),
            ) from error


def _too_large(path: Path, stem: str, plan: PagePlan) -> BookError:
    return BookError(
        msg(
            "{path}: {name} would be {width} x {height} pixels, or holds a picture that is too large.",
            path=path,
            name=stem,
            width=plan.width_px,
            height=plan.height_px,
        ),
        msg("Lower ENLARGER_PDF_DPI, or allow more with ENLARGER_MAX_MEGAPIXELS."),
    )


def _pdfium_version() -> str:
    from pypdfium2 import version

    return str(version.PDFIUM_INFO)
