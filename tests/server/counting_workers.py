"""Workers that note every session they open: how often a model was loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger.enhance import Enhancer
from enlarger.models import Graph, Variant
from enlarger.runtimes import FakeRuntime, FakeSession
from enlarger.settings import Settings


@dataclass
class CountingRuntime(FakeRuntime):
    log: Path = Path()

    def open(self, graph: Graph, **how: Any) -> FakeSession:
        with self.log.open("a") as file:
            file.write(f"{graph.variant.name}\n")
        return super().open(graph, **how)


def make_enhancer(settings: Settings, *, graph: str, log: str) -> Enhancer:
    """What a worker process calls."""

    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(Path(graph), f"digest of {variant.name}", variant, None)

    return Enhancer(settings, runtimes={"fake": CountingRuntime(log=Path(log))}, prepare_graph=prepare)
