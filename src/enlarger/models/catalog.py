"""The models Enlarger knows, and which network a person means by a name, a scale and a noise level."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from enlarger.errors import RecipeError, UnknownModelError
from enlarger.messages import msg
from enlarger.models.card import Card, Variant, noise_name
from enlarger.models.own_cards import own_cards
from enlarger.settings import Settings

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


class Catalog:
    """Cards by any of their names, case-insensitively: those that come with Enlarger, then a person's own.

    What was added or removed since is seen after `refresh`; all who hold the catalog see it then. Thread-safe.
    """

    def __init__(self, cards: tuple[Card, ...], own: Callable[[], tuple[Card, ...]] = tuple) -> None:
        """`own` gives a person's own cards as they are now."""
        self._built_in = cards
        self._own = own
        self._names = _Names.of(cards, own())

    @property
    def cards(self) -> tuple[Card, ...]:
        """All of them."""
        return self._names.all

    def refresh(self) -> None:
        """Look for a person's own cards again."""
        self._names = _Names.of(self._built_in, self._own())

    def find(self, name: str | int) -> Card | Choice:
        """The card that a card's name, an alias or a seed id means, or the network a MODEL_ name means.

        MODEL_ names are taken with and without "MODEL_", and with "_TTA". Raises UnknownModelError,
        which names the nearest.
        """
        text = _seed_name(str(name).strip())
        key = text.casefold()
        names = self._names
        found = names.cards.get(key) or names.choice(key)
        if found is None:
            raise _unknown(text, names)
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


@dataclass(frozen=True)
class _Names:
    """What each name means; a name of Enlarger's own is never taken over."""

    all: tuple[Card, ...]
    cards: Mapping[str, Card]
    choices: Mapping[str, Choice]

    @classmethod
    def of(cls, built_in: tuple[Card, ...], own: tuple[Card, ...]) -> _Names:
        cards = [*own, *built_in]
        return cls(
            all=(*built_in, *own),
            cards={name.casefold(): card for card in cards for name in (card.name, *card.aliases)},
            choices={v.name.casefold().removeprefix(_PREFIX): Choice(card, v) for card in cards for v in card.variants},
        )

    def choice(self, key: str) -> Choice | None:
        stem = key.removeprefix(_PREFIX)
        choice = self.choices.get(stem.removesuffix(_TTA))
        return choice and Choice(choice.card, choice.variant, tta=stem.endswith(_TTA))

    def nearest(self, name: str) -> str:
        names = {each.casefold(): each for each in self._every()}
        return names[difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.0)[0]]

    def _every(self) -> Iterator[str]:
        for card in self.all:
            yield from (card.name, *card.aliases)
            yield from (variant.name for variant in card.variants)


def load_catalog(settings: Settings | None = None) -> Catalog:
    """The models that come with Enlarger and, with settings, those that were added to their models folder."""
    if settings is None:
        return Catalog(_built_in())
    return Catalog(_built_in(), partial(own_cards, settings))


@cache
def _built_in() -> tuple[Card, ...]:
    sheets = sorted((files(__package__) / "cards").iterdir(), key=lambda sheet: sheet.name)
    return tuple(read_card(sheet.read_text("utf-8")) for sheet in sheets if sheet.name.endswith(".toml"))


def read_card(text: str) -> Card:
    """A card from its TOML, where `[network]` holds what all variants share; raises pydantic's ValidationError."""
    sheet = tomllib.loads(text)
    shared = {"noise": None, "package": sheet.pop("package", None), **sheet.pop("network", {})}
    variants = [_complete({**shared, **variant}) for variant in sheet.pop("variant")]
    return TypeAdapter(Card).validate_python({**sheet, "variants": variants})


def _complete(variant: dict[str, Any]) -> dict[str, Any]:
    stem = variant["name"].removeprefix(_PREFIX.upper())  # the packages of ncnn files name them so
    halves = [(suffix, variant.pop(suffix)) for suffix in ("param", "bin") if suffix in variant]
    named = [{"name": f"{stem}.{suffix}", **half} for suffix, half in halves]
    return {"halo": variant.get("border", 0), "files": named, **variant}


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


def _unknown(name: str, names: _Names) -> UnknownModelError:
    return UnknownModelError(
        msg("There is no model “{name}”.", name=name),
        msg("Did you mean “{nearest}”? `enlarger models list` shows all models.", nearest=names.nearest(name)),
    )
