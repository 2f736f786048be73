"""An EPUB of pictures as a book: the pictures in the order in which its spine shows them.

EPUB 3.3, https://www.w3.org/TR/epub-33/, and the older 2.0.1. Pages get numbers for names: in the files of an
EPUB the order is often not to be seen, and whatever it becomes has only names to keep it by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

from enlarger.books.book import BookProblem
from enlarger.books.comic_info import COMIC_INFO
from enlarger.books.epub_package import Package, package_path, protected_paths, read_package
from enlarger.books.epub_text import Shown, shown_in
from enlarger.books.members import Contents, arrange, is_page_name
from enlarger.books.zip_book import ZipBook
from enlarger.errors import BookError
from enlarger.messages import msg

EPUB_BEGINNING = b"mimetypeapplication/epub+zip"
"""The name and contents of an EPUB's first member, which is stored."""

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_MOST_TEXT_BYTES = 8 << 20
_MOST_TEXT_BYTES_IN_ALL = 64 << 20
_MOST_LETTERS_PER_PICTURE = 1500  # a full page of a novel; comics bring titles, captions and their own text at most


class EpubBook(ZipBook):
    """See `Book`. Raises BookError also for a book of words, and for one that only its shop's program may open."""

    def _arranged(self, path: Path, found: list[tuple[str, ZipInfo]], problems: list[BookProblem]) -> Contents[ZipInfo]:
        files = dict(found)
        package = self._package(path, files)
        pictures = self._pictures(path, files, package)
        if _ENCRYPTION in files:
            _check_protection(path, pictures, protected_paths(path, self._text(path, files, _ENCRYPTION)))
        if not pictures:
            raise _is_text(path)
        digits = max(4, len(str(len(pictures))))
        pages = [
            (f"p{number:0{digits}}{PurePosixPath(name).suffix.lower()}", files[name])
            for number, name in enumerate(pictures, start=1)
        ]
        extras = [(name, files[name]) for name in (COMIC_INFO,) if name in files]
        return arrange(path, [*pages, *extras], [each for each in problems if is_page_name(each.name)])

    def _package(self, path: Path, files: Mapping[str, ZipInfo]) -> Package:
        place = package_path(path, self._text(path, files, _CONTAINER))
        return read_package(path, place, self._text(path, files, place))

    def _pictures(self, path: Path, files: Mapping[str, ZipInfo], package: Package) -> list[str]:
        """Names of the pictures in reading order, each once."""
        names: dict[str, None] = {}
        letters = text_bytes = 0
        for place in dict.fromkeys(package.spine):
            text_bytes += files[place].file_size if place in files and not is_page_name(place) else 0
            if text_bytes > _MOST_TEXT_BYTES_IN_ALL:
                raise _too_much_text(path, place)
            shown = self._shown(path, files, place)
            letters += shown.letters
            names |= dict.fromkeys(name for name in shown.pictures if name in files and is_page_name(name))
        if letters > _MOST_LETTERS_PER_PICTURE * len(names):
            raise _is_text(path)
        cover = package.cover
        if cover in files and is_page_name(cover) and cover not in names:
            names = {cover: None, **names}
        return list(names)

    def _shown(self, path: Path, files: Mapping[str, ZipInfo], place: str) -> Shown:
        if is_page_name(place):
            return Shown((place,), 0)
        if place not in files:
            return Shown((), 0)
        return shown_in(self._text(path, files, place), place)

    def _text(self, path: Path, files: Mapping[str, ZipInfo], name: str) -> bytes:
        if name not in files:
            raise BookError(
                msg("{path}: {name} is missing, without which an EPUB cannot be read.", path=path, name=name),
                msg("Copy or download the file again."),
            )
        if files[name].file_size > _MOST_TEXT_BYTES:
            raise _too_much_text(path, name)
        return b"".join(self._sound(path, name, files[name]))


def _check_protection(path: Path, pictures: Sequence[str], protected: frozenset[str]) -> None:
    """Raises BookError when a shop's lock is on the pictures; on fonts it is common and does no harm."""
    if protected.intersection(pictures):
        raise BookError(
            msg("{path}: its pictures are locked by the shop that sold it (DRM).", path=path),
            msg("Only that shop's program can open it; give a copy without the lock."),
        )


def _too_much_text(path: Path, name: str) -> BookError:
    return BookError(
        msg("{path}: {name} is too large for a text in a comic.", path=path, name=name),
        msg("Unpack the file as a zip and give the folder of its pictures."),
    )


def _is_text(path: Path) -> BookError:
    return BookError(
        msg("{path}: is a book of words, not of pictures.", path=path),
        msg("Comics can be enlarged; to enlarge its illustrations alone, unpack it as a zip and give their folder."),
    )
