"""What an EPUB says of itself: where its package document is, the order of its spine, its cover, what is protected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import NoReturn
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from enlarger.errors import BookError
from enlarger.messages import msg

Element = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Package:
    """Members by their names in the zip: documents and pictures in reading order, and the cover's picture or ""."""

    spine: tuple[str, ...]
    cover: str


def package_path(book: Path, container: bytes) -> str:
    """The name of the package document that META-INF/container.xml points to; raises BookError."""
    for name, attributes in _elements(book, container):
        if name == "rootfile" and "full-path" in attributes:
            return resolved("", attributes["full-path"])
    raise _unreadable(book)


def read_package(book: Path, place: str, data: bytes) -> Package:
    """The package document `data`, which lies at `place` in the zip; raises BookError."""
    elements = list(_elements(book, data))
    items = {each["id"]: each for name, each in elements if name == "item" and "id" in each and "href" in each}
    spine = [each.get("idref", "") for name, each in elements if name == "itemref"]
    declared = [key for key, item in items.items() if "cover-image" in item.get("properties", "").split()]
    declared += [each.get("content", "") for name, each in elements if name == "meta" and each.get("name") == "cover"]
    covers = [resolved(place, items[key]["href"]) for key in declared if key in items]
    return Package(
        tuple(resolved(place, items[key]["href"]) for key in spine if key in items), covers[0] if covers else ""
    )


def protected_paths(book: Path, encryption: bytes) -> frozenset[str]:
    """Names of members that META-INF/encryption.xml says are encrypted; raises BookError."""
    uris = [each.get("URI", "") for name, each in _elements(book, encryption) if name == "CipherReference"]
    return frozenset(resolved("", uri) for uri in uris)


def resolved(place: str, reference: str) -> str:
    """The member that `reference`, met in the member at `place`, means; "" for what lies outside the book."""
    parts = urlsplit(reference)
    if parts.scheme or parts.netloc or not parts.path:
        return ""
    path = normpath(join("/", dirname(place), unquote(parts.path)))
    return path.lstrip("/")


def _elements(book: Path, data: bytes) -> Iterator[Element]:
    """Every element's name, without its namespace, and attributes, in order; raises BookError."""
    found: list[Element] = []

    def refuse(*_: object) -> NoReturn:
        raise _unreadable(book)

    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, each: found.append(
        (_local(name), {_local(k): v for k, v in each.items()})
    )
    parser.EntityDeclHandler = refuse  # entities can be bombs
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _unreadable(book) from error
    yield from found


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _unreadable(book: Path) -> BookError:
    return BookError(
        msg("{path}: the list of its contents is damaged or missing, as an EPUB must have one.", path=book),
        msg("Copy or download the file again, or unpack it as a zip and give the folder of its pictures."),
    )
