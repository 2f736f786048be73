"""What a person's INPUT… and OUT mean: which pictures and books become what, and where."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from enlarger.books import BOOK_SUFFIXES, is_later_part, is_litter, is_page_name, looks_like_book
from enlarger.enhance.recipe import Recipe
from enlarger.errors import InputError
from enlarger.messages import msg

Kind = Literal["picture", "folder", "archive"]
_PACKED_SUFFIXES = (".cbz", ".zip")


@dataclass(frozen=True)
class Errand:
    """One input and where its result goes. A picture's `target` lacks its suffix: the format may fall back."""

    kind: Kind
    source: Path
    target: Path
    suffix: str = ""  # the one a picture's result gets if its format fits: ".jpeg" stays ".jpeg"

    @property
    def packs(self) -> bool:
        """Whether the result is an archive."""
        return self.kind != "picture" and _is_packed_name(self.target)


def plan_errands(inputs: Sequence[Path], out: Path | None, recipe: Recipe) -> tuple[Errand, ...]:
    """An errand for every picture, folder and archive; archives inside folders become errands of their own.

    Without `out`, results lie beside their source, the scale in their name. With several inputs, or when it is a
    folder, `out` is the folder they go to. Two inputs never share a target. Raises InputError.
    """
    if out is not None:
        _check_out([_kind(source) for source in inputs], out)
    into = out is not None and (len(inputs) > 1 or out.is_dir() or _kind_of_name(out) == "folder")
    errands: dict[Path, Errand] = {}
    for source in inputs:
        for errand in _errands(source, out, into and not (len(inputs) == 1 and source.is_dir()), recipe):
            target = _free(errand.target, errands)
            errands[target] = _checked(replace(errand, target=target))
    return tuple(errands.values())


def _check_out(kinds: Sequence[Kind], out: Path) -> None:
    """Refuse an OUT that is named like something the inputs do not become."""
    named = "folder" if out.is_dir() else _kind_of_name(out)
    if named == "archive" and not _is_packed_name(out):
        raise InputError(
            msg("{path}: archives of this kind cannot be written.", path=out),
            msg("Choose a name that ends in .cbz or .zip."),
        )
    if named != "folder" and (len(kinds) > 1 or (kinds[0] == "picture") != (named == "picture")):
        raise InputError(
            msg("{path}: what is given does not become a file of this kind.", path=out),
            msg("A picture becomes a picture, a folder or archive a .cbz; several of them go to a folder."),
        )


def _errands(source: Path, out: Path | None, into: bool, recipe: Recipe) -> Iterator[Errand]:
    kind = _kind(source)
    if kind != "folder":
        named = source if out is None or into else out
        yield Errand(kind, source, _target(source, kind, out, into, recipe), named.suffix)
        return
    folder = Errand("folder", source, _folder_target(source, out, into, recipe))
    root = folder.target
    archives = [] if folder.packs else list(_archives(source, root))
    if not archives or _has_pages(source, root):  # a library may hold nothing but archives
        yield folder
    for archive in archives:
        yield Errand("archive", archive, (root / archive.relative_to(source)).with_suffix(_PACKED_SUFFIXES[0]))


def _kind(source: Path) -> Kind:
    if source.is_dir():
        return "folder"
    if not source.exists():
        raise InputError(
            msg("{path}: there is no such file or folder.", path=source),
            msg("Check the path; put quotes around names with spaces."),
        )
    return "archive" if looks_like_book(source) else "picture"


def _kind_of_name(out: Path) -> Kind:
    if out.suffix.lower() in BOOK_SUFFIXES:
        return "archive"
    return "picture" if is_page_name(out.name) else "folder"


def _is_packed_name(path: Path) -> bool:
    return path.suffix.lower() in _PACKED_SUFFIXES


def _target(source: Path, kind: Kind, out: Path | None, into: bool, recipe: Recipe) -> Path:
    ending = _PACKED_SUFFIXES[0] if kind == "archive" else ""
    if out is None:
        return source.with_name(f"{source.stem}_{_mark(recipe)}{ending}")
    if into:
        return out / f"{source.stem}{ending}"
    return out if kind == "archive" and _is_packed_name(out) else out.with_name(f"{out.stem}{ending}")


def _folder_target(source: Path, out: Path | None, into: bool, recipe: Recipe) -> Path:
    if out is None:
        resolved = source.resolve()  # "." has no name of its own
        return resolved.with_name(f"{resolved.name}_{_mark(recipe)}")
    return out / source.resolve().name if into else out


def _mark(recipe: Recipe) -> str:
    if recipe.width and recipe.height:
        return f"{recipe.width}x{recipe.height}"
    if recipe.width or recipe.height:
        return f"{recipe.width}w" if recipe.width else f"{recipe.height}h"
    return f"{recipe.scale:g}x"


def _archives(folder: Path, target: Path) -> Iterator[Path]:
    """Books among the folder's files; of one in several parts, the first part."""
    files = _files(folder, target)
    return (path for path in files if path.suffix.lower() in BOOK_SUFFIXES and not is_later_part(path.name))


def _has_pages(folder: Path, target: Path) -> bool:
    return any(is_page_name(path.name) for path in _files(folder, target))


def _files(folder: Path, target: Path) -> Iterator[Path]:
    """Files below the folder, but for hidden ones, links, and results of an earlier run that lie inside it."""
    results = target.resolve()
    for path in sorted(folder.rglob("*")):
        hidden = is_litter(path.relative_to(folder).as_posix())
        if not hidden and path.is_file() and not path.is_symlink() and results not in path.resolve().parents:
            yield path


def _free(target: Path, taken: Container[Path]) -> Path:
    number, free = 1, target
    while free in taken:
        number += 1
        free = target.with_name(f"{target.stem} ({number}){target.suffix}")
    return free


def _checked(errand: Errand) -> Errand:
    source = errand.source.resolve()
    own = source.with_suffix("") if errand.kind == "picture" else source
    if errand.target.resolve() == own:
        raise InputError(
            msg("{path}: the result would overwrite its source.", path=errand.source),
            msg("Choose another place with -o."),
        )
    return errand
