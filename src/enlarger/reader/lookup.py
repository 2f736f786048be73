"""Whether a page's render is in the cache: found out without making anything, and without turning to the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from enlarger.books import open_book, page_identity
from enlarger.enhance import Enhancer, Recipe, RenderCache, Rendering, Source
from enlarger.errors import WeightsMissingError
from enlarger.messages import Message, msg
from enlarger.models import Catalog, Graph, Variant
from enlarger.settings import Settings

MadeGraph: TypeAlias = Callable[[Variant, Settings], Graph | None]
"""A network's graph where it was made already; None where it was not, and then it has no renders here either."""

Shares: TypeAlias = Callable[[], Collection[int]]
"""Of how many equal parts of the memory the workers have one each, now."""


@dataclass(frozen=True)
class Found:
    """key: of the render that is kept, "" where there is none; then reason says why there is none, as far as known."""

    key: str = ""
    reason: Message | None = None


class Lookup:
    """Reads a page's bytes and the weights that its recipe needs, nothing else."""

    def __init__(
        self, settings: Settings, catalog: Catalog, cache: RenderCache, made: MadeGraph, shares: Shares
    ) -> None:
        self._settings, self._catalog, self._cache, self._made = settings, catalog, cache, made
        self._shares = shares

    def find(self, book: Path, name: str, recipe: Recipe) -> Found:
        """Raises InputError, ModelError."""
        with open_book(book, settings=self._settings, recursive="/" in name) as opened:
            source = Source(name, partial(opened.read, name), partial(page_identity, opened, name))
            try:
                keys = {Rendering(planner, self._cache, recipe).key(source) for planner in self._planners()}
            except WeightsMissingError as error:
                return Found(reason=error.message)
        return next((Found(key) for key in keys if self._cache.get(key) is not None), Found())

    def _planners(self) -> Iterator[Enhancer]:
        """As the workers plan: how much of the memory each has may be in its keys."""
        for share in set(self._shares()) or {1}:
            planner = Enhancer(self._settings, catalog=self._catalog, prepare_graph=self._graph)  # limits as of now
            planner.share_memory(share)
            yield planner

    def _graph(self, variant: Variant, settings: Settings) -> Graph:
        graph = self._made(variant, settings)
        if graph is None:
            raise WeightsMissingError(msg("“{model}” was never used on this machine.", model=variant.name))
        return graph
