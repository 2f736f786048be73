"""What each page is called in the output: never two pages to one name, on any system's disk."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from enlarger.books.portable import folded, portable_name, short_name


@dataclass(frozen=True)
class OutputNames:
    """The names decided for a book's pages, before it is known which format each page ends up in.

    For any choice of a suffix for each page, out of those planned for and the page's own, the names are
    distinct, also where case and Unicode composition do not count, and short enough for any disk. They do not depend
    on the order of the pages.
    """

    _levels: Mapping[str, int]
    _portable: bool

    @classmethod
    def plan(cls, names: Iterable[str], suffixes: Collection[str], *, portable: bool = os.name == "nt") -> OutputNames:
        """Decide names for pages that end up with one of `suffixes` (".webp") or keep their own.

        `portable` also replaces what Windows cannot hold.
        """
        levels = dict.fromkeys(sorted(names), 0)
        while clashing := _clashing(levels, suffixes, portable):
            for name in clashing:
                levels[name] += 1
        return cls(levels, portable)

    def name(self, page: str, suffix: str) -> str:
        """The output name of `page`, its folder kept, in the format of `suffix`."""
        return _output(page, suffix, self._levels[page], self._portable)


def output_names(
    names: Sequence[str], suffix: str | Mapping[str, str], *, portable: bool = os.name == "nt"
) -> dict[str, str]:
    """The output name of every page: `suffix` in its own suffix's place.

    Where two pages would meet ("a.png" and "a.jpg"), each keeps its suffix inside ("a.png.webp"); a page that
    already has the new suffix keeps its name. A mapping gives each page a suffix of its own; pages that are
    not in it, or have "" there, keep theirs. See `OutputNames` for names that are needed before the suffixes.
    """
    chosen = suffix if isinstance(suffix, Mapping) else dict.fromkeys(names, suffix)
    suffixes = {name: chosen.get(name) or PurePosixPath(name).suffix for name in names}
    plan = OutputNames.plan(names, set(chosen.values()) - {""}, portable=portable)
    return {name: plan.name(name, suffixes[name]) for name in names}


def _output(page: str, suffix: str, level: int, portable: bool) -> str:
    path = PurePosixPath(portable_name(page) if portable else page)
    if level > 1:
        path = path.with_stem(f"{path.stem}~{level}")
    if path.suffix.lower() != suffix.lower():
        path = path.with_suffix(suffix) if level == 0 else path.with_name(path.name + suffix)
    return short_name(str(path))


def _clashing(levels: Mapping[str, int], suffixes: Collection[str], portable: bool) -> set[str]:
    claims: defaultdict[str, list[str]] = defaultdict(list)
    for page, level in levels.items():
        for claim in _claims(page, level, suffixes, portable):
            claims[claim].append(page)
    folders = {folded(str(folder)) for page in levels for folder in PurePosixPath(page).parents}
    clashing: set[str] = set()
    for claim, pages in claims.items():
        if len(pages) > 1:
            clashing |= _yielding(pages, levels)
        if claim in folders:
            clashing |= set(pages)
    return clashing


def _claims(page: str, level: int, suffixes: Collection[str], portable: bool) -> set[str]:
    possible = {*suffixes, PurePosixPath(page).suffix}
    return {folded(_output(page, suffix, level, portable)) for suffix in possible}


def _yielding(pages: Sequence[str], levels: Mapping[str, int]) -> set[str]:
    short = {page for page in pages if levels[page] == 0}
    return short or set(pages[1:])
