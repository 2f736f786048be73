"""Which pictures a document of an EPUB shows, in order, and how much there is to read beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from enlarger.books.epub_package import resolved

_SILENT = frozenset({"head", "script", "style", "title"})
_STYLE_URL = re.compile(r"""url\(\s*["']?([^"')]{1,1000})["']?\s*\)""")
_DECLARED = re.compile(rb"""\A[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Shown:
    """Names of members that are pictures, and the count of letters that are text."""

    pictures: tuple[str, ...]
    letters: int


def shown_in(data: bytes, place: str) -> Shown:
    """What the XHTML or SVG document `data`, which lies at `place` in the zip, shows.

    Read as HTML: many documents are not well-formed, and there are no entities in HTML that could be bombs.
    """
    reader = _Reader(place)
    reader.feed(_decoded(data))
    reader.close()
    return Shown(tuple(reader.pictures), reader.letters)


class _Reader(HTMLParser):
    def __init__(self, place: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pictures: list[str] = []
        self.letters = 0
        self._place = place
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self._look_at(tag, {name: value or "" for name, value in attrs})

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.letters += len("".join(data.split()))

    def _look_at(self, tag: str, attributes: dict[str, str]) -> None:
        references = _STYLE_URL.findall(attributes.get("style", ""))
        if tag in ("img", "embed"):
            references.append(attributes.get("src", ""))
        elif tag == "object":
            references.append(attributes.get("data", ""))
        elif tag == "image":  # of SVG
            references.append(attributes.get("xlink:href") or attributes.get("href", ""))
        self.pictures += [name for name in (resolved(self._place, each) for each in references) if name]


def _decoded(data: bytes) -> str:
    for mark, codec in _BOMS.items():
        if data.startswith(mark):
            return data.decode(codec, "replace")
    declared = _DECLARED.match(data)
    try:
        return data.decode(declared[1].decode() if declared else "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
