"""What rules are asked about: a page's size and type, from its header, and the paths it is known by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

INNER = " inner="  # between an archive's path and a member's, in clients' page paths
_ONE_TYPE = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "heif": "heic", "apng": "png"}


@dataclass(frozen=True)
class PageFacts:
    """A page. Paths have forward slashes; `page_path` is a file's own path, or `<archive> inner=<member>`.

    width, height: as stored, in pixels. file_type: what the file truly is ("jpeg"), or what its name says.
    """

    width: int
    height: int
    file_type: str = ""
    book_path: str = ""
    page_path: str = ""

    @classmethod
    def of_page(cls, book: Path, name: str, *, width: int, height: int, file_type: str) -> PageFacts:
        """The page called `name` of the book at that path."""
        return cls(width, height, file_type, slashes(str(book)), page_path(book, name, is_folder=book.is_dir()))

    @property
    def megapixels(self) -> float:
        """Pixels, in millions."""
        return self.width * self.height / 1e6

    @property
    def aspect_ratio(self) -> float:
        """Width / height; 0 where there is no height."""
        return self.width / self.height if self.height else 0.0

    @property
    def inner_path(self) -> str:
        """The member's path inside its archive, "" of a page that is in none."""
        return self.page_path.partition(INNER)[2]

    @property
    def kind(self) -> str:
        """The file's type in its one spelling."""
        return canonical_type(self.file_type or PurePosixPath(self.page_path).suffix)


def canonical_type(name: str) -> str:
    """One spelling for every way to say a type: ".JPG" is "jpeg"."""
    plain = name.strip().lower().lstrip(".")
    return _ONE_TYPE.get(plain, plain)


def page_path(book: Path, name: str, *, is_folder: bool) -> str:
    """What clients call a page of a book."""
    return slashes(str(book / name)) if is_folder else f"{slashes(str(book))}{INNER}{name}"


def slashes(path: str) -> str:
    """A path as patterns see it, on every system."""
    return path.replace("\\", "/")
