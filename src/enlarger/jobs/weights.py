"""Which weights recipes need that are not on this machine; what was found to be there is remembered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from enlarger.enhance import Enhancer, Recipe
from enlarger.errors import EnlargerError
from enlarger.models import Card, Catalog, Choice, Variant, found_at
from enlarger.settings import Settings

_MOST_REMEMBERED = 1000
_FACTORS = range(1, 33)  # where the page's size decides how much it grows


@dataclass(frozen=True)
class Lack:
    """A network without its weights, and the card it is of."""

    card: Card
    variant: Variant


class Weights:
    """Thread-safe. Files are only looked for, not read: what is damaged is for the worker to say."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self._enhancer = Enhancer(settings, catalog=catalog)  # knows the way that pictures take, and opens nothing
        self._lock = threading.Lock()
        self._here: set[Recipe] = set()

    def lacking(self, recipe: Recipe) -> tuple[Lack, ...]:
        """What is to be fetched before a page may begin; nothing where fetching is switched off."""
        if self._settings.offline or recipe in self._here:
            return ()
        try:
            needed = {variant.name: variant for variant in self._needed(recipe)}
        except EnlargerError:  # a recipe of another version, for a model that is no more: the worker says so
            return ()
        lacking = [variant for variant in needed.values() if found_at(variant, self._settings) is None]
        if not lacking:
            self._remember(recipe)
        return tuple(Lack(self._card(variant), variant) for variant in lacking)

    def forget(self) -> None:
        """Files came or went: look again, also for models that people added."""
        self._catalog.refresh()
        with self._lock:
            self._here = set()

    def _remember(self, recipe: Recipe) -> None:
        with self._lock:
            if len(self._here) >= _MOST_REMEMBERED:
                self._here = set()
            self._here.add(recipe)

    def _needed(self, recipe: Recipe) -> Iterator[Variant]:
        """For every size that a page may have."""
        for factor in _FACTORS if recipe.width or recipe.height else (1,):
            width, height = (max(1, -(-side // factor)) for side in (recipe.width, recipe.height))
            yield from self._enhancer.variants(recipe, width, height)

    def _card(self, variant: Variant) -> Card:
        found = self._catalog.find(variant.name)
        assert isinstance(found, Choice)  # a network's name means the network
        return found.card
