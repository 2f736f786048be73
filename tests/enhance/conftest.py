"""A house without weights: the real catalogue, the fake runtime, graphs that are only names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enlarger.enhance import Enhancer, RenderCache
from enlarger.models import Graph, Variant
from enlarger.pictures import encode
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings
from pages import noise, picture

MakePage = Callable[..., bytes]


@pytest.fixture(scope="session")
def identity_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest ONNX file: the fake runtime reads none, but memory is planned from it."""
    from onnx import TensorProto, helper, save

    path = tmp_path_factory.mktemp("graphs") / "identity.onnx"
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xy")
    save(helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])), path)
    return path


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def enhancer(settings: Settings, runtime: FakeRuntime, identity_graph: Path) -> Iterator[Enhancer]:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(identity_graph, f"digest of {variant.name}", variant, None)

    with Enhancer(settings, device="fake", runtimes={"fake": runtime}, prepare_graph=prepare) as enhancer:
        yield enhancer


@pytest.fixture
def cache(settings: Settings) -> RenderCache:
    return RenderCache(settings.renders_dir, settings.cache_max_bytes)


@pytest.fixture
def page() -> MakePage:
    """Bytes of a page of noise: `page(seed, width, height, channels, codec)`."""

    def make(seed: int = 0, width: int = 40, height: int = 50, channels: int = 3, codec: str = "png") -> bytes:
        return encode(picture(noise(seed, width, height, channels)), format=codec).data

    return make
