"""The cards whose weights tests can have: those that come with a Python package."""

from __future__ import annotations

from enlarger.models import Card, load_catalog


def ncnn_cards() -> tuple[Card, ...]:
    """Those whose packages hold ncnn's files."""
    return tuple(card for card in packaged_cards() if card.variants[0].files[0].name.endswith(".param"))


def packaged_cards() -> tuple[Card, ...]:
    """Not those whose files are only at a URL, or are for people to bring."""
    return tuple(card for card in load_catalog().cards if card.variants[0].package is not None)
