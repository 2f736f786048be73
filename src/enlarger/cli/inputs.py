"""INPUT… as typed becomes paths: a console that leaves `*` to programs (Windows) is made up for."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from enlarger.errors import InputError
from enlarger.messages import msg


def expand(inputs: Iterable[Path]) -> tuple[Path, ...]:
    """The paths, patterns replaced by what they match in natural order; raises InputError for one without a match.

    A path that exists is no pattern: "[Group] Title" is a common folder's name. A path named twice counts once.
    """
    return tuple(dict.fromkeys(path for each in inputs for path in _expanded(each)))


def format_of(out: Path | None, inputs: Sequence[Path]) -> str | None:
    """The format that the suffix of OUT asks for, when OUT is to be a picture."""
    from enlarger.books import is_page_name, looks_like_book
    from enlarger.pictures import SUFFIXES

    if out is None or out.is_dir() or not is_page_name(out.name):
        return None
    is_one_picture = len(inputs) == 1 and not looks_like_book(inputs[0])
    suffix = out.suffix.lower()
    return SUFFIXES.get(suffix, suffix[1:]) if is_one_picture else None


def _expanded(path: Path) -> Iterator[Path]:
    if path.exists() or not glob.has_magic(str(path)):
        yield path
        return
    from enlarger.books import natural_key

    found = sorted(glob.glob(str(path)), key=lambda name: natural_key(Path(name).as_posix()))  # noqa: PTH207 - may be absolute
    if not found:
        raise InputError(msg("{path}: nothing matches.", path=path), msg("Check the folder and the pattern."))
    yield from map(Path, found)
