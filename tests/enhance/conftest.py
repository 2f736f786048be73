"""A house without weights: the real catalogue, the fake runtime, graphs that are only names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.enhance import Enhancer, RenderCache
from enlarger.models import Graph, Variant
from enlarger.pictures import Metadata, Picture, encode
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings


def named_graph(variant: Variant, settings: Settings) -> Graph:
    """A graph that no file stands behind: the fake runtime reads only its variant."""
    return Graph(Path(f"{variant.name}.onnx"), f"digest of {variant.name}", variant, None)


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def enhancer(settings: Settings, runtime: FakeRuntime) -> Iterator[Enhancer]:
    with Enhancer(settings, device="fake", runtimes={"fake": runtime}, prepare_graph=named_graph) as enhancer:
        yield enhancer


@pytest.fixture
def cache(settings: Settings) -> RenderCache:
    return RenderCache(settings.renders_dir, settings.cache_max_bytes)


@pytest.fixture
def page() -> Callable[..., bytes]:
    """Bytes of a PNG (or other) page of noise: `page(seed, width, height, channels)`."""

    def make(seed: int = 0, width: int = 40, height: int = 50, channels: int = 3, format: str = "png") -> bytes:
        picture = Picture(noise(seed, width, height, channels), None, Metadata(), format)
        return encode(picture, format=format).data

    return make


def noise(seed: int, width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
