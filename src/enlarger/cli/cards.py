"""Cards as a table, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from enlarger.cli.amounts import format_bytes
from enlarger.cli.weights import Presence
from enlarger.enhance import DEFAULT_MODEL
from enlarger.messages import Message, current_language, msg
from enlarger.models import CONSERVATIVE, Card, Variant, WeightFile, noise_name

if TYPE_CHECKING:
    from rich.table import Table


def table(cards: Iterable[tuple[Card, Presence]]) -> Table:
    """One row a card."""
    from rich.table import Table

    rows = Table(*(str(heading) for heading in _headings()), box=None, pad_edge=False)
    for card, presence in cards:
        rows.add_row(
            card.name + (" *" if card.name == DEFAULT_MODEL else ""),
            str(_purpose(card)),
            " ".join(f"{scale}x" for scale in card.scales),
            " ".join(_levels(card)),
            card.licence,
            format_bytes(size) if (size := _size_bytes(card)) else "-",
            str(presence.sentence()),
        )
    return rows


def describe(card: Card, presence: Presence) -> Iterator[str]:
    """Everything on the card, line by line."""
    yield f"{card.name}: {title(card)}"
    yield str(msg("Purpose: {purpose}", purpose=_purpose(card)))
    yield str(msg("Weights here: {presence}", presence=presence.sentence()))
    yield str(msg("Licence: {licence}", licence=card.licence))
    yield str(msg("Origin: {origin}", origin=card.origin))
    yield str(msg("Made by: {credit}", credit=card.credit))
    yield str(msg("Aliases: {aliases}", aliases=", ".join(card.aliases) or "-"))
    yield str(_whence(card))
    for variant in card.variants:
        yield ""
        yield from _describe_variant(variant)


def card_json(card: Card, presence: Presence) -> dict[str, Any]:
    """The card for scripts."""
    return {
        "name": card.name,
        "title": dict(card.title),
        "default": card.name == DEFAULT_MODEL,
        "purpose": card.purpose,
        "scales": list(card.scales),
        "noises": [noise_name(level) for level in _noises(card)],
        "licence": card.licence,
        "origin": card.origin,
        "credit": card.credit,
        "aliases": list(card.aliases),
        "sizeBytes": _size_bytes(card),
        "weights": {"here": presence.here, "all": presence.all, "origins": list(presence.origins)},
        "variants": [_variant_json(variant) for variant in card.variants],
    }


def title(card: Card) -> str:
    """The card's title in the reader's language."""
    return card.title.get(current_language()) or card.title["en"]


def _headings() -> tuple[Message, ...]:
    return msg("Model"), msg("Purpose"), msg("Scale"), msg("Noise"), msg("Licence"), msg("Size"), msg("Here")


def _purpose(card: Card) -> Message:
    return {"art": msg("art"), "photo": msg("photographs"), "any": msg("art and photographs")}[card.purpose]


def _whence(card: Card) -> Message:
    """Where the weights come from."""
    first = card.variants[0]
    if first.package is not None:
        return msg("Package: {package}", package=first.package)
    if card.own:
        return msg("Added from: {file}", file=card.origin)
    if first.checkpoint is not None:
        return msg("Package: none; its authors' file is fetched")
    return msg("Package: none; its files are handed in: enlarger models pull {model} --from FILE", model=card.name)


def _noises(card: Card) -> Sequence[int | None]:
    levels = {level for scale in card.scales for level in card.noises(scale)}
    return sorted(levels, key=lambda level: (level is not None, level))


def _levels(card: Card) -> list[str]:
    short = {None: "-", CONSERVATIVE: "c"}
    return [short.get(level) or noise_name(level) for level in _noises(card)]


def _size_bytes(card: Card) -> int:
    files = {file.sha256: file.size_bytes for variant in card.variants for file in variant.files}
    published = (checkpoint.file.size_bytes for checkpoint in card.checkpoints)
    return sum(files.values()) or sum(published)


def _describe_variant(variant: Variant) -> Iterator[str]:
    yield variant.name
    facts = {"scale": variant.scale, "noise": noise_name(variant.noise), "halo": variant.halo}
    yield "  " + str(msg("{scale}x, noise {noise}; halo {halo} px", **facts))
    for file in _files(variant):
        yield f"  {file.name}  {format_bytes(file.size_bytes)}  SHA-256 {file.sha256}"
    if variant.checkpoint is not None:
        yield "  " + str(msg("Authors' file: {url}", url=variant.checkpoint.url))
    if variant.handed is not None:
        name = variant.handed.name.rpartition("/")[2]
        yield "  " + str(msg("File to hand in: {name}, from {source}", name=name, source=variant.handed.source))


def _variant_json(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "scale": variant.scale,
        "noise": noise_name(variant.noise),
        "border": variant.border,
        "halo": variant.halo,
        "multiple": variant.multiple,
        "local": variant.local,
        "files": [{"name": file.name, "sizeBytes": file.size_bytes, "sha256": file.sha256} for file in _files(variant)],
        "url": None if variant.checkpoint is None else variant.checkpoint.url,
    }


def _files(variant: Variant) -> Iterator[WeightFile]:
    yield from variant.files
    if variant.checkpoint is not None:
        yield variant.checkpoint.file
