"""The models Enlarger knows, and which network a person means by a name, a scale and a noise level."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from enlarger.errors import RecipeError, UnknownModelError
from enlarger.messages import msg
from enlarger.models.card import Card, Variant, noise_name

# Model ids of the reader extension whose clients Enlarger serves: the id is the position.
SEED_IDS = (
    "cunet",
    "photo",
    "anime_style_art_rgb",
    "upconv_7_anime_style_art_rgb",
    "upconv_7_photo",
    "upresnet10",
    "swin_unet_art_scan",
)
_PREFIX = "model_"
_TTA = "_tta"


@dataclass(frozen=True)
class Choice:
    """One network of one card; `tta` averages it over the eight orientations of the picture."""

    card: Card
    variant: Variant
    tta: bool = False


@dataclass(frozen=True)
class Planned:
    """A name other programs use for a model this version cannot run; `instead` is a card's name."""

    name: str
    title: str
    aliases: tuple[str, ...]
    instead: str


@dataclass(frozen=True)
class Catalog:
    """Cards by any of their names, case-insensitively."""

    cards: tuple[Card, ...]
    planned: tuple[Planned, ...] = ()

    def find(self, name: str | int) -> Card | Choice:
        """The card that a card's name, an alias or a seed id means, or the network a MODEL_ name means.

        MODEL_ names are taken with and without "MODEL_", and with "_TTA". Raises UnknownModelError,
        which names the nearest.
        """
        text = _seed_name(str(name).strip())
        key = text.casefold()
        found = self._cards.get(key) or self._choice(key)
        if found is None:
            raise self._unknown(text)
        return found

    def choose(
        self, name: str | int, *, scale: int | None = None, noise: int | None = None, tta: bool = False
    ) -> Choice:
        """The one network for this name, scale and noise level; one pass of it, so only scales it was made for.

        Without a scale the card's default is taken. A MODEL_ name says scale and noise itself; what is
        asked beside it must agree. Raises UnknownModelError or RecipeError.
        """
        found = self.find(name)
        if isinstance(found, Card):
            return Choice(found, found.variant(found.default_scale if scale is None else scale, noise), tta)
        _check_agreement(found, scale, noise)
        return Choice(found.card, found.variant, tta or found.tta)

    @cached_property
    def _cards(self) -> Mapping[str, Card]:
        return {name.casefold(): card for card in self.cards for name in (card.name, *card.aliases)}

    @cached_property
    def _choices(self) -> Mapping[str, Choice]:
        return {v.name.casefold().removeprefix(_PREFIX): Choice(card, v) for card in self.cards for v in card.variants}

    def _choice(self, key: str) -> Choice | None:
        stem = key.removeprefix(_PREFIX)
        choice = self._choices.get(stem.removesuffix(_TTA))
        return choice and Choice(choice.card, choice.variant, tta=stem.endswith(_TTA))

    def _unknown(self, name: str) -> UnknownModelError:
        for planned in self.planned:
            if name.casefold() in {each.casefold() for each in (planned.name, *planned.aliases)}:
                return UnknownModelError(
                    msg("“{name}” ({title}) is not available in this version.", name=name, title=planned.title),
                    msg(
                        "“{instead}” is the nearest; `enlarger models list` shows all models.", instead=planned.instead
                    ),
                )
        return UnknownModelError(
            msg("There is no model “{name}”.", name=name),
            msg("Did you mean “{nearest}”? `enlarger models list` shows all models.", nearest=self._nearest(name)),
        )

    def _nearest(self, name: str) -> str:
        names = {each.casefold(): each for each in self._names()}
        return names[difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.0)[0]]

    def _names(self) -> Iterator[str]:
        for card in self.cards:
            yield from (card.name, *card.aliases)
            yield from (variant.name for variant in card.variants)


@cache
def load_catalog() -> Catalog:
    """The catalog that comes with Enlarger, read once."""
    here = files(__package__)
    sheets = sorted((here / "cards").iterdir(), key=lambda sheet: sheet.name)
    cards = tuple(read_card(sheet.read_text("utf-8")) for sheet in sheets if sheet.name.endswith(".toml"))
    planned = tomllib.loads((here / "planned.toml").read_text("utf-8"))["model"]
    return Catalog(cards, TypeAdapter(tuple[Planned, ...]).validate_python(planned))


def read_card(text: str) -> Card:
    """A card from its TOML, where `[network]` holds what all variants share; raises pydantic's ValidationError."""
    sheet = tomllib.loads(text)
    shared = {"noise": None, "package": sheet.pop("package"), **sheet.pop("network", {})}
    variants = [_complete({**shared, **variant}) for variant in sheet.pop("variant")]
    return TypeAdapter(Card).validate_python({**sheet, "variants": variants})


def _complete(variant: dict[str, Any]) -> dict[str, Any]:
    stem = variant["name"].removeprefix(_PREFIX.upper())  # the packages name their files so
    named = {suffix: {"name": f"{stem}.{suffix}", **variant[suffix]} for suffix in ("param", "bin")}
    return {"halo": variant.get("border", 0), **variant, **named}


def _seed_name(text: str) -> str:
    return SEED_IDS[int(text)] if text.isdecimal() and int(text) < len(SEED_IDS) else text


def _check_agreement(found: Choice, scale: int | None, noise: int | None) -> None:
    variant = found.variant
    asked = found.card.canonical_noise(noise)
    if scale not in (None, variant.scale):
        raise _contradiction(variant, f"{variant.scale}x", f"{scale}x")
    if asked is not None and asked != variant.noise:
        raise _contradiction(variant, noise_name(variant.noise), noise_name(asked))


def _contradiction(variant: Variant, own: str, asked: str) -> RecipeError:
    return RecipeError(
        msg("{model} means {own}, but {asked} was asked for.", model=variant.name, own=own, asked=asked),
        msg("Leave out one of the two, or name the model without scale and noise."),
    )
