"""Noticing that a machine cannot keep up with its reader, and which model could."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from enlarger.enhance import Recipe, plan_passes
from enlarger.errors import EnlargerError
from enlarger.messages import Message, msg
from enlarger.models import Card, Catalog

_SHORTEST_LOOK_S = 1.0  # who turns faster is looking for a page, not reading
_LONGEST_LOOK_S = 60.0  # who turns slower went away
_FEWEST_TURNS = 5
_FEWEST_PAGES = 3
_REMEMBERED = 12


@dataclass(frozen=True)
class Hint:
    """What a person is told once; model: the one that would keep up, "" where none would."""

    message: Message
    model: str = ""


@dataclass(frozen=True)
class _Sample:
    megapixels: float
    seconds: float


class Pace:
    """The reader's pace against the machine's. Not thread-safe. Times are seconds of one clock."""

    def __init__(self, catalog: Catalog, workers: int = 1) -> None:
        self._catalog = catalog
        self._workers = workers
        self._turned_at: float | None = None
        self._looks_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._samples: dict[tuple[str, float, int | None], deque[_Sample]] = {}
        self._told: set[tuple[str, float, int | None]] = set()

    def turned(self, now: float, pages: int) -> None:
        """The reader turned to so many pages."""
        if self._turned_at is not None and _SHORTEST_LOOK_S <= now - self._turned_at <= _LONGEST_LOOK_S:
            self._looks_s.append((now - self._turned_at) / max(1, pages))
        self._turned_at = now

    def finished(self, recipe: Recipe, megapixels: float, seconds: float) -> Hint | None:
        """A page was computed; what to tell, once for a model, scale and noise level, if that is too slow."""
        kind = recipe.model, recipe.scale, recipe.noise
        samples = self._samples.setdefault(kind, deque(maxlen=_REMEMBERED))
        samples.append(_Sample(megapixels, seconds))
        if kind in self._told or len(samples) < _FEWEST_PAGES or len(self._looks_s) < _FEWEST_TURNS:
            return None
        needed_s, given_s = self._page_s(samples), median(self._looks_s)
        if needed_s <= given_s:
            return None
        self._told.add(kind)
        return self._hint(recipe, needed_s, given_s)

    def _page_s(self, samples: Iterable[_Sample]) -> float:
        """Seconds between two finished pages of the usual size, all workers at work."""
        samples = list(samples)
        seconds_a_megapixel = median(sample.seconds / sample.megapixels for sample in samples if sample.megapixels)
        return seconds_a_megapixel * median(sample.megapixels for sample in samples) / self._workers

    def _hint(self, recipe: Recipe, needed_s: float, given_s: float) -> Hint:
        model = faster_model(self._catalog, recipe, most=given_s / needed_s)
        facts = {"model": recipe.model, "needed": f"{needed_s:.1f}", "given": f"{given_s:.1f}"}
        if not model:
            return Hint(
                msg(
                    "This machine needs {needed} s for a page with “{model}”, and you turn every {given} s; "
                    "no model would keep up with that.",
                    **facts,
                )
            )
        return Hint(
            msg(
                "This machine needs {needed} s for a page with “{model}”, and you turn every {given} s; "
                "“{faster}” would keep up.",
                faster=model,
                **facts,
            ),
            model,
        )


def faster_model(catalog: Catalog, recipe: Recipe, *, most: float) -> str:
    """The costliest model for the same kind of picture that costs at most this share of the recipe's; "" for none.

    Every model is asked for the recipe's scale and noise level.
    """
    own = next(card for card in catalog.cards if card.name == recipe.model)
    limit = cost(own, recipe.scale, recipe.noise) * most
    others = [card for card in catalog.cards if card is not own and card.fetchable]
    rivals = [card for card in others if {card.purpose, own.purpose} <= {own.purpose, "any"}]
    costs = {card.name: cost(card, recipe.scale, recipe.noise) for card in rivals if _can(card, recipe)}
    affordable = [(price, name) for name, price in costs.items() if price <= limit]
    return max(affordable, default=(0.0, ""))[1]


def cost(card: Card, scale: float, noise: int | None) -> float:
    """What a picture costs for each of its pixels, in multiplications."""
    total, pixels = 0.0, 1.0
    for variant in plan_passes(card, noise, scale):
        total += variant.work * pixels
        pixels *= variant.scale**2
    return total


def _can(card: Card, recipe: Recipe) -> bool:
    if recipe.noise is not None and recipe.noise not in card.noise_levels:
        return False
    with suppress(EnlargerError):
        return bool(plan_passes(card, recipe.noise, recipe.scale))
    return False
