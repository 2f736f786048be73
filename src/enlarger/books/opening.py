"""The door: a path becomes a book by what is in it, whatever its suffix says."""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import is_zipfile

from enlarger.books.book import Book, Limits
from enlarger.books.folder_book import FolderBook
from enlarger.books.zip_book import ZipBook
from enlarger.errors import BookError
from enlarger.messages import Message, msg

BOOK_SUFFIXES = frozenset({".zip", ".cbz", ".rar", ".cbr", ".7z", ".cb7", ".tar", ".cbt"})
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_FOREIGN_MAGICS = {b"Rar!\x1a\x07": "RAR", b"7z\xbc\xaf\x27\x1c": "7z"}
_MAGIC_BYTES = 8
_DEFAULT_LIMITS = Limits()


def looks_like_book(path: Path) -> bool:
    """Whether `path` is meant as a book: a folder, an archive by its first bytes, or one by its suffix.

    True does not promise that `open_book` can read it, only that its error is the one a person needs.
    """
    if path.is_dir() or path.suffix.lower() in BOOK_SUFFIXES:
        return True
    try:
        return path.is_file() and _magic(path).startswith((*_ZIP_MAGICS, *_FOREIGN_MAGICS))
    except OSError:
        return False


def open_book(path: Path, *, limits: Limits = _DEFAULT_LIMITS) -> Book:
    """The book at `path`, a folder or a zip; close it, or use it as a context manager.

    Raises BookError, which names the file and the remedy, when nothing in it can be read. Single members
    that must not be read are listed in `problems` instead.
    """
    if _is_folder(path):
        return FolderBook(path, limits=limits)
    try:
        magic = _magic(path)
        is_zip = magic.startswith(_ZIP_MAGICS) or is_zipfile(path)  # a program may stand before a zip
    except OSError as error:
        raise _unreadable(path, error) from error
    if not is_zip:
        raise _no_archive(path, magic)
    return ZipBook(path, limits=limits)


def _is_folder(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):  # opening a pipe would wait for ever
        raise BookError(msg("{path}: is neither a file nor a folder.", path=path), _remedy())
    return stat.S_ISDIR(mode)


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAGIC_BYTES)


def _no_archive(path: Path, magic: bytes) -> BookError:
    if not magic:
        return BookError(msg("{path}: is empty (0 bytes).", path=path), msg("Copy or download the file again."))
    for foreign, name in _FOREIGN_MAGICS.items():
        if magic.startswith(foreign):
            return BookError(
                msg("{path}: is a {kind} archive, which cannot be read.", path=path, kind=name),
                msg("Unpack it and give the folder, or repack it as zip or cbz."),
            )
    return BookError(msg("{path}: is not a zip archive, whatever its name says.", path=path), _remedy())


def _remedy() -> Message:
    return msg("Give a folder, a .zip or a .cbz file.")


def _unreadable(path: Path, error: OSError) -> BookError:
    return BookError(
        msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
        msg("Check that it exists and that you are allowed to read it."),
    )
