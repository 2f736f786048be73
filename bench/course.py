"""One card on pictures of one size: the whole road, and the raw session over the very same tiles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bench.alternate import Row
from bench.rehearsal import tiles_of
from bench.subjects import Subject
from enlarger.enhance import Enhancer, PassFacts, Recipe, RenderCache, Rendering, Road, Source
from enlarger.models import Graph
from enlarger.pictures import decode
from enlarger.runtimes import Session, open_session
from enlarger.settings import Settings

_CACHE_BYTES = 20 * 1024**3
QUALITIES = {"jpeg": 90, "webp": 80}


class Course:
    """Opens the models when entered and closes them when left. All subjects have one size; one pass each."""

    facts: PassFacts  # of one picture's way through the road: where, in which arithmetic, how it was cut

    def __init__(self, settings: Settings, recipe: Recipe, subjects: Sequence[Subject]) -> None:
        self._settings = settings
        self._recipe = recipe
        self._subjects = subjects
        self._enhancer = Enhancer(settings)
        self._session: Session | None = None
        (variant,) = self._enhancer.variants(recipe, *subjects[0].size)
        self.graph: Graph = self._enhancer.graph(variant)

    def __enter__(self) -> Self:
        picture = decode(self._subjects[0].data, name=self._subjects[0].name)
        (self.facts,) = self._enhancer.enlarge(picture, self._recipe).facts.passes
        return self

    def __exit__(self, *_: object) -> None:
        if self._session is not None:
            self._session.close()
        self._enhancer.close()

    @cached_property
    def tiles(self) -> tuple[NDArray[np.uint8], ...]:
        """What all subjects are cut into, (h, w, 3) uint8 RGB."""
        tiles = tiles_of(self._subjects, self._recipe, self.graph, self._settings)
        shape, count = (*self.facts.tile, 3), self.facts.tiles * len(self._subjects)
        assert [tile.shape for tile in tiles] == [shape] * count, "rehearsed and real tiles differ: no ratio means much"
        return tiles

    @property
    def px_per_tile(self) -> int:
        """Pixels of the picture that one tile answers for, on average."""
        return self._subjects[0].px // self.facts.tiles

    def road(self, name: str, format: str) -> Row:  # noqa: A002 - the recipe's word
        """The whole road: bytes in, decode, tiles, stitch, encode, a cold cache."""
        recipe = replace(self._recipe, format=format, quality=QUALITIES[format])
        return self._row(name, lambda folder: self._travel(folder, recipe))

    def raw(self, name: str) -> Row:
        """The same tiles, cut before, back to back through a resident session; results are dropped."""
        session = open_session(self.graph, tile=self.facts.tile, settings=self._settings)
        self._session, spec, facts = session, session.spec, self.facts
        assert (spec.runtime, spec.device, spec.dtype) == (facts.runtime, facts.device, facts.dtype)
        deque(session.run(self.tiles[:1]), maxlen=0)  # warm
        return self._row(name, lambda _: deque(session.run(self.tiles), maxlen=0))

    def _row(self, name: str, run: Callable[[Path], object]) -> Row:
        px = sum(subject.px for subject in self._subjects)
        return Row(name, self.facts.dtype, px, run, pictures=len(self._subjects))

    def _travel(self, folder: Path, recipe: Recipe) -> None:
        road = Road(Rendering(self._enhancer, RenderCache(folder, _CACHE_BYTES), recipe))
        sources = [Source(subject.name, partial(_read, subject)) for subject in self._subjects]
        for result in road.run(sources):
            if result.error is not None:
                raise result.error
            assert result.computed, f"{result.name} came from a cache that was empty"


def _read(subject: Subject) -> bytes:
    return subject.data
