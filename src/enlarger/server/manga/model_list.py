"""GET /models: the catalog in the manga contract's words, its two models under their published names."""

from __future__ import annotations

from enlarger.models import Card, Catalog, Variant
from enlarger.server.manga.wire import DEFAULT_MODEL, ModelEntry, ModelList

RECOMMENDED_SCALE = 2.0  # manga pages on screens; the original said so of both its models


def model_list(catalog: Catalog) -> ModelList:
    """All cards, the default first."""
    entries = [_entry(card) for card in catalog.cards]
    return ModelList(models=sorted(entries, key=lambda entry: entry.name != DEFAULT_MODEL))


def _entry(card: Card) -> ModelEntry:
    published = next(iter(card.checkpoints), None)
    plain = card.variant(card.default_scale, card.noises(card.default_scale)[0])
    return ModelEntry(
        name=_name(card),
        scale=card.scales[-1],
        recommended_scale=RECOMMENDED_SCALE,
        weights=_file_name(plain) if published is None else published.file.name,
        download_url=published.url if published is not None else "" if card.own else card.origin,
    )


def _file_name(variant: Variant) -> str:
    names = [file.name for file in variant.files] + ([variant.handed.name] if variant.handed else [])
    return names[-1].rpartition("/")[2]  # of ncnn's two the second, which holds the weights


def _name(card: Card) -> str:
    """The published file's name without its suffix where clients may say it, as the original's do."""
    stems = (checkpoint.file.name.rpartition(".")[0] for checkpoint in card.checkpoints)
    known = {name.casefold() for name in (card.name, *card.aliases)}
    return next((stem for stem in stems if stem.casefold() in known), card.name)
