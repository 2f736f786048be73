"""Take models away again: a person's own with their card, those of Enlarger with the files that were fetched."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from enlarger.errors import RecipeError, WeightsRefusedError
from enlarger.messages import Message, msg
from enlarger.models.card import Card, Variant
from enlarger.models.catalog import Choice, load_catalog
from enlarger.models.graph import forget
from enlarger.models.own_cards import card_folder, drop_card
from enlarger.models.sources import checkpoint_path, found_at, pulled_folder
from enlarger.settings import Settings
from enlarger.storage import remove, storage_errors


def remove_model(name: str, settings: Settings) -> tuple[Path, ...]:
    """What was deleted: the folder of a person's own card, or the files that were fetched or handed in.

    The data of installed packages and files in the server's folder are not Enlarger's to delete. Raises
    UnknownModelError, RecipeError when there is nothing to delete, StorageError.
    """
    found = load_catalog(settings).find(name)
    card = found.card if isinstance(found, Choice) else found
    if card.own:
        _forget_graphs(card.variants, settings)
        drop_card(card.name, settings)
        return (card_folder(card.name, settings),)
    variants = (found.variant,) if isinstance(found, Choice) else card.variants
    files = tuple(path for variant in variants for path in _files(variant, settings) if path.is_file())
    if not files:
        raise _nothing(card, variants, settings)
    _forget_graphs(variants, settings)
    for path in files:
        with storage_errors(path):
            remove(path)
            _drop_empty(path.parent, settings.models_dir)
    return files


def _files(variant: Variant, settings: Settings) -> list[Path]:
    """Where Enlarger itself keeps the variant's files: no two networks share one."""
    files = [pulled_folder(variant.package, settings) / file.name for file in variant.files if variant.package]
    if (place := checkpoint_path(variant, settings)) is not None:
        files.append(place[1])
    if variant.handed is not None:
        files.append(settings.models_dir / variant.handed.name)
    return files


def _forget_graphs(variants: tuple[Variant, ...], settings: Settings) -> None:
    for variant in variants:
        with suppress(WeightsRefusedError):  # damaged: no graph is kept under what it is now
            forget(variant, settings)


def _drop_empty(folder: Path, root: Path) -> None:
    with suppress(OSError):  # something else is in it
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def _nothing(card: Card, variants: tuple[Variant, ...], settings: Settings) -> RecipeError:
    origin = next((found for variant in variants if (found := found_at(variant, settings)) is not None), None)
    package = variants[0].package
    remedy: Message | None = None
    if origin is None:
        sentence = msg("{model} has no files on this machine.", model=card.name)
    elif package is not None and origin == str(package):
        sentence = msg(
            "The weights of {model} belong to an installed package: {package}.", model=card.name, package=package
        )
        remedy = msg("If nothing else needs it: pip uninstall {distribution}", distribution=package.distribution)
    else:
        sentence = msg("The weights of {model} lie in the server's own folder: {path}.", model=card.name, path=origin)
        remedy = msg("Delete the file there yourself if no server needs it.")
    return RecipeError(sentence, remedy)
