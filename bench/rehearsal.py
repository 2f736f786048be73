"""Finds out which tiles pictures are cut into: the real road over a runtime that notes what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.subjects import Subject
from enlarger.enhance import Enhancer, Recipe
from enlarger.models import Graph, Variant
from enlarger.pictures import decode
from enlarger.runtimes import FakeRuntime, FakeSession, Tile
from enlarger.settings import Settings


class _NotingRuntime(FakeRuntime):
    """Nearest neighbour; `noted` has a copy of every tile that came by."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[NDArray[np.uint8]] = []

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> FakeSession:
        """A session that notes."""
        spec = super().open(graph, tile=tile, device=device, dtype=dtype, pixels=pixels, batch=batch).spec
        return _NotingSession(self, spec)


class _NotingSession(FakeSession):
    def __init__(self, runtime: _NotingRuntime, spec: Any) -> None:
        super().__init__(runtime, spec)
        self._noted = runtime.noted

    def run(self, tiles: Iterable[Tile], **options: Any) -> Iterator[Tile]:
        """As Session.run."""
        return super().run(self._noting(tiles), **options)

    def _noting(self, tiles: Iterable[Tile]) -> Iterator[Tile]:
        for tile in tiles:
            self._noted.append(np.array(tile))
            yield tile


def tiles_of(
    subjects: Sequence[Subject], recipe: Recipe, graph: Graph, settings: Settings
) -> tuple[NDArray[np.uint8], ...]:
    """Every tile (h, w, 3) uint8 RGB that enters the network when these pictures are enlarged, in order."""
    runtime = _NotingRuntime()

    def prepared(_variant: Variant, _settings: Settings) -> Graph:
        return graph

    with Enhancer(settings, device="fake", runtimes={"fake": runtime}, prepare_graph=prepared) as enhancer:
        for subject in subjects:
            enhancer.enlarge(decode(subject.data, name=subject.name), recipe)
    return tuple(runtime.noted)
