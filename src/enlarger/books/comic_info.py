"""ComicInfo.xml after enlarging: the sizes it states for pages are made true, all else stays byte for byte."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn
from xml.parsers import expat

COMIC_INFO = "ComicInfo.xml"
_PAGE = ["ComicInfo", "Pages", "Page"]
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_TAG = re.compile(rb"""<[^\s/>]+(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(rb"""(\s)([^\s=/>]+)(\s*=\s*)("[^"]*"|'[^']*')""")


@dataclass(frozen=True)
class PageFacts:
    """What ComicInfo.xml may state about a page's file."""

    width_px: int
    height_px: int
    size_bytes: int


class _RefusedError(Exception):
    """The document is not one to be edited."""


def refresh_comic_info(data: bytes, pages: Sequence[PageFacts | None]) -> bytes:
    """ComicInfo.xml with ImageWidth, ImageHeight and ImageSize of each page brought up to date.

    `pages` is in the book's order, which the attribute Image counts from 0; None leaves a page as it is.
    Only attributes that are present change; encoding, declaration and layout stay. What is not well-formed,
    or declares a document type (entities can be bombs), is returned as it came.
    """
    try:
        codec = _codec(data)
        text = data.decode(codec).encode()
        return _edited(text, pages).decode().encode(codec)
    except (_RefusedError, expat.ExpatError, LookupError, UnicodeError):
        return data


def _codec(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"  # by this name the mark stays in the text, and comes back on encoding
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    declared = _DECLARED.match(data)
    return declared[1].decode() if declared else "utf-8"


def _edited(text: bytes, pages: Sequence[PageFacts | None]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for start, facts in _page_tags(text, pages):
        tag = _TAG.match(text, start)
        if tag is None:
            raise _RefusedError
        parts += [text[done:start], _ATTRIBUTE.sub(partial(_fresh, facts), tag[0])]
        done = tag.end()
    return b"".join([*parts, text[done:]])


def _page_tags(text: bytes, pages: Sequence[PageFacts | None]) -> list[tuple[int, PageFacts]]:
    """Where in `text` the tags of pages with facts begin."""
    tags: list[tuple[int, PageFacts]] = []
    path: list[str] = []
    parser = expat.ParserCreate("utf-8")  # `text` is UTF-8 whatever its declaration says

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        if path == _PAGE and (facts := _facts(attributes.get("Image", ""), pages)):
            tags.append((parser.CurrentByteIndex, facts))

    def refuse(*_: object) -> NoReturn:
        raise _RefusedError

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text, True)
    return tags


def _facts(image: str, pages: Sequence[PageFacts | None]) -> PageFacts | None:
    index = int(image) if re.fullmatch("[0-9]{1,9}", image) else len(pages)
    return pages[index] if index < len(pages) else None


def _fresh(facts: PageFacts, found: re.Match[bytes]) -> bytes:
    values = {b"ImageWidth": facts.width_px, b"ImageHeight": facts.height_px, b"ImageSize": facts.size_bytes}
    space, name, equals, quoted = found.groups()
    if name not in values:
        return found[0]
    return b"%b%b%b%b%d%b" % (space, name, equals, quoted[:1], values[name], quoted[:1])
