"""A person's own cards: each in a folder of the models folder, beside the files of its weights."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from enlarger.books import portable_name
from enlarger.models.card import Card
from enlarger.settings import Settings
from enlarger.storage import remove, remove_tree, storage_errors, sync_folder, write_atomic

OWN_FOLDER = "own"  # of the models folder
_SHEET = "card.json"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def is_card_name(text: str) -> bool:
    """Whether a card may be called so: what is a file name everywhere, an address, and a word on a command line."""
    return _NAME.fullmatch(text) is not None and portable_name(text) == text  # Windows opens a device for “con”


def own_cards(settings: Settings) -> tuple[Card, ...]:
    """The cards a person added, by name. A sheet that cannot be read, or that speaks of other places, is left out."""
    folder = settings.models_dir / OWN_FOLDER
    found = (_read(sheet) for sheet in sorted(folder.glob(f"*/{_SHEET}")))
    return tuple(card for card in found if card is not None)


def card_folder(name: str, settings: Settings) -> Path:
    """Where the card of this name keeps its files."""
    return settings.models_dir / OWN_FOLDER / name


def save_card(card: Card, settings: Settings) -> None:
    """Durable on return; to be called when its files lie in its folder. Raises StorageError."""
    sheet = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    write_atomic(card_folder(card.name, settings) / _SHEET, sheet.encode())


def drop_card(name: str, settings: Settings) -> None:
    """The card first, then its folder: what is interrupted leaves no card without weights. Raises StorageError."""
    folder = card_folder(name, settings)
    with storage_errors(folder):
        remove(folder / _SHEET)
        sync_folder(folder)
        remove_tree(folder)


def _read(sheet: Path) -> Card | None:
    with suppress(OSError, ValueError, ValidationError):
        card = TypeAdapter(Card).validate_json(sheet.read_bytes())
        if card.name == sheet.parent.name and _stays(card, sheet):
            return card
    return None


def _stays(card: Card, sheet: Path) -> bool:
    """Whether the card's files are its folder's, and nothing is to be fetched for it."""
    folder = f"{OWN_FOLDER}/{sheet.parent.name}"
    return (
        is_card_name(card.name)
        and len(card.variants) == 1
        and all(
            variant.folder == folder
            and variant.files
            and not variant.fetchable
            and variant.handed is None
            and all(Path(file.name).name == file.name for file in variant.files)
            for variant in card.variants
        )
    )
