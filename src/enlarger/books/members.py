"""Which members of a book are pages, which are carried over, and by which name each is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from enlarger.books.book import BookProblem, Limits, Page
from enlarger.books.natural import natural_key
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.pictures import SUFFIXES

PICTURE_SUFFIXES = frozenset(SUFFIXES) | {".jp2"}
"""What counts as a page. Whether it can be decoded is for the pictures room to say."""

_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information"})
_MIB = 1024**2
_DRIVE = re.compile(r"[A-Za-z]:")

Source = TypeVar("Source")


@dataclass(frozen=True)
class Contents(Generic[Source]):
    """A book's table of contents; `sources` says where the bytes of each name are."""

    pages: tuple[Page, ...]
    extras: tuple[str, ...]
    problems: tuple[BookProblem, ...]
    sources: Mapping[str, Source]

    def source(self, book: Path, name: str) -> Source:
        """Where the bytes of `name` are; raises BookError when the book has no such member."""
        try:
            return self.sources[name]
        except KeyError:
            raise BookError(msg("{path}: holds no member named {name}.", path=book, name=name)) from None


def arrange(book: Path, found: Iterable[tuple[str, Source]], problems: Iterable[BookProblem] = ()) -> Contents[Source]:
    """The table of contents of safe names; a name that comes twice is given a new one the second time.

    Raises BookError when there is no page to read: the first problem's, when there is one.
    """
    sources = one_name_each(found)
    pages = sorted(filter(is_page_name, sources), key=natural_key)
    extras = sorted(sources.keys() - set(pages), key=natural_key)
    problems = tuple(problems)
    if not pages:
        raise problems[0].error if problems else _no_pages(book)
    return Contents(tuple(map(Page, pages)), tuple(extras), problems, sources)


def _no_pages(book: Path) -> BookError:
    return BookError(
        msg("{path}: holds no pictures.", path=book),
        msg("Give a folder or archive that holds pictures: JPEG, PNG or WebP."),
    )


def is_page_name(name: str) -> bool:
    """Whether the suffix is that of a picture."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def is_litter(name: str) -> bool:
    """Whether the POSIX path is hidden or is what a system leaves behind, such as __MACOSX/ or Thumbs.db."""
    return any(part.startswith(".") or part.lower() in _LITTER for part in name.split("/"))


def safe_name(raw: str) -> str | None:
    """The member's name as a clean relative POSIX path, or None when it would lead out of the book.

    Backslashes are separators: many archives made on Windows hold them, and Windows would follow them.
    """
    name = raw.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or _DRIVE.match(name) or "\0" in name or ".." in parts or not parts:
        return None
    return "/".join(parts)


def escape_error(book: Path, name: str) -> BookError:
    """The error for a member that `safe_name` refused."""
    return BookError(
        msg("{path}: the name {name} leads out of the book.", path=book, name=name),
        msg("Rename this file to a plain relative name."),
    )


def member_too_large(book: Path, name: str, limits: Limits) -> BookError:
    """The error for a member beyond `max_member_bytes`, in an archive or a folder."""
    return BookError(
        msg("{path}: {name} is larger than {limit} MiB.", path=book, name=name, limit=limits.max_member_bytes // _MIB),
        msg("Take this file out; pages are much smaller."),
    )


def one_name_each(found: Iterable[tuple[str, Source]]) -> dict[str, Source]:
    """By name; one that comes twice is given a new one the second time."""
    found = list(found)
    given = {name for name, _ in found}
    sources: dict[str, Source] = {}
    for name, source in found:
        sources[_fresh(name, given) if name in sources else name] = source
    return sources


def _fresh(name: str, given: set[str]) -> str:
    path, number = PurePosixPath(name), 2
    while (fresh := str(path.with_stem(f"{path.stem}~{number}"))) in given:
        number += 1
    given.add(fresh)
    return fresh
