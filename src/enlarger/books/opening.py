"""The door: a path becomes a book by what is in it, whatever its suffix says."""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import is_zipfile

from enlarger.books.book import Book, Limits
from enlarger.books.epub_book import EPUB_BEGINNING, EpubBook
from enlarger.books.folder_book import FolderBook
from enlarger.books.pdf_book import PdfBook
from enlarger.books.rar_book import RarBook
from enlarger.books.seven_zip_book import SevenZipBook
from enlarger.books.spool import Spool
from enlarger.books.zip_book import ZipBook
from enlarger.errors import BookError
from enlarger.messages import Message, msg
from enlarger.settings import Settings

BOOK_SUFFIXES = frozenset({".zip", ".cbz", ".rar", ".cbr", ".7z", ".cb7", ".pdf", ".epub", ".tar", ".cbt"})
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_RAR_MAGIC = b"Rar!\x1a\x07"
_SEVEN_ZIP_MAGIC = b"7z\xbc\xaf\x27\x1c"
_ARCHIVE_MAGICS = (*_ZIP_MAGICS, _RAR_MAGIC, _SEVEN_ZIP_MAGIC)
_PDF_MAGIC = b"%PDF-"
_BEGINNING_BYTES = 1024  # readers look for a PDF's first words so far into the file
_DEFAULT_LIMITS = Limits()


def looks_like_book(path: Path) -> bool:
    """Whether `path` is meant as a book: a folder, an archive or document by its first bytes, or one by its suffix.

    True does not promise that `open_book` can read it, only that its error is the one a person needs.
    """
    if path.is_dir() or path.suffix.lower() in BOOK_SUFFIXES:
        return True
    try:
        return path.is_file() and _beginning(path).startswith((*_ARCHIVE_MAGICS, _PDF_MAGIC))
    except OSError:
        return False


def open_book(
    path: Path, *, limits: Limits = _DEFAULT_LIMITS, settings: Settings | None = None, recursive: bool = True
) -> Book:
    """The book at `path`: a folder, zip, rar, 7z, PDF or EPUB; close it, or use it as a context manager.

    Of a folder, not `recursive`, only what lies in it directly is the book, under the same names.

    `settings` say where archives are unpacked and how PDF pages are drawn; without them, what the environment says
    counts. Raises BookError, which names the file and the remedy, when nothing in it can be read. Single members
    that must not be read are listed in `problems` instead.
    """
    if _is_folder(path):
        return FolderBook(path, limits=limits, recursive=recursive)
    try:
        beginning = _beginning(path)
        is_zip = _is_zip(path, beginning)
    except OSError as error:
        raise _unreadable(path, error) from error
    if is_zip:
        is_epub = EPUB_BEGINNING in beginning or path.suffix.lower() == ".epub"
        return EpubBook(path, limits=limits) if is_epub else ZipBook(path, limits=limits)
    if not _is_known(beginning):
        raise _no_archive(path, beginning)
    return _foreign(path, beginning, limits, settings or Settings())


def _is_zip(path: Path, beginning: bytes) -> bool:
    if beginning.startswith(_ZIP_MAGICS):
        return True
    return not _is_known(beginning) and is_zipfile(path)  # a program may stand before a zip


def _is_known(beginning: bytes) -> bool:
    return beginning.startswith(_ARCHIVE_MAGICS) or _PDF_MAGIC in beginning


def _foreign(path: Path, beginning: bytes, limits: Limits, settings: Settings) -> Book:
    """What is neither folder nor zip: it needs a library of its own."""
    try:
        if beginning.startswith(_RAR_MAGIC):
            return RarBook(path, limits=limits, spool=Spool.of(settings))
        if beginning.startswith(_SEVEN_ZIP_MAGIC):
            return SevenZipBook(path, limits=limits, spool=Spool.of(settings))
        return PdfBook(path, limits=limits, settings=settings)
    except OSError as error:
        raise _unreadable(path, error) from error


def _is_folder(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):  # opening a pipe would wait for ever
        raise BookError(msg("{path}: is neither a file nor a folder.", path=path), _remedy())
    return stat.S_ISDIR(mode)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING_BYTES)


def _no_archive(path: Path, beginning: bytes) -> BookError:
    if not beginning:
        return BookError(msg("{path}: is empty (0 bytes).", path=path), msg("Copy or download the file again."))
    return BookError(msg("{path}: is no archive that can be read, whatever its name says.", path=path), _remedy())


def _remedy() -> Message:
    return msg("Give a folder, or a zip, cbz, rar, cbr, 7z, cb7, PDF or EPUB file.")


def _unreadable(path: Path, error: OSError) -> BookError:
    return BookError(
        msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
        msg("Check that it exists and that you are allowed to read it."),
    )
