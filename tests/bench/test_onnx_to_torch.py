"""PyTorch runs the same network as ONNX Runtime does, operator by operator, or the comparison is worth nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bench.alternate import PeerError
from bench.peers.onnx_to_torch import TorchGraph
from enlarger.models.onnx_builder import INPUT, GraphBuilder

pytestmark = pytest.mark.oracle

_RNG = np.random.default_rng(0)
Build = Callable[[GraphBuilder], str]


def weight(*shape: int) -> np.ndarray:
    return _RNG.normal(0, 0.3, shape).astype(np.float32)


def squeezed(builder: GraphBuilder) -> str:
    mean = builder.add("GlobalAveragePool", INPUT)
    gate = builder.add("Sigmoid", builder.add("Relu", builder.conv(mean, weight(3, 3, 1, 1), None)))
    return builder.add("Add", builder.add("Mul", INPUT, gate), INPUT)


def activated(builder: GraphBuilder) -> str:
    leaky = builder.add("LeakyRelu", builder.conv(INPUT, weight(3, 3, 3, 3), weight(3)), alpha=0.1)
    return builder.add("PRelu", leaky, builder.constant(weight(3, 1, 1)))


BUILDS: dict[str, Build] = {
    "asymmetric pads": lambda b: b.conv(INPUT, weight(4, 3, 3, 3), weight(4), pads=(1, 0, 2, 1)),
    "strides": lambda b: b.conv(INPUT, weight(4, 3, 2, 2), None, stride=2),
    "activations": activated,
    "squeeze and excitation": squeezed,
    "pixel shuffle": lambda b: b.pixel_shuffle(b.conv(INPUT, weight(8, 3, 1, 1), None), 2),
    "interleave": lambda b: b.interleave(b.conv(INPUT, weight(8, 3, 1, 1), None), 2),
    "crop": lambda b: b.crop(INPUT, 2, 3),
    "crop to the end": lambda b: b.crop(INPUT, 2, 0),
    "nearest": lambda b: b.nearest(INPUT, 4),
    "bicubic": lambda b: b.bicubic(INPUT, Fraction(2), channels=3),
    "concat": lambda b: b.add("Concat", INPUT, b.crop(INPUT, 0, 0), axis=1),
}


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_it_agrees_with_onnx_runtime(build: Build, tmp_path: Path) -> None:
    ort, torch = pytest.importorskip("onnxruntime"), pytest.importorskip("torch")
    path = tmp_path / "network.onnx"
    builder = GraphBuilder()
    path.write_bytes(builder.finish(build(builder)))
    x = _RNG.random((1, 3, 12, 16), np.float32)
    (expected,) = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    with torch.inference_mode():
        result = TorchGraph(path, torch.float32)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_an_operator_it_does_not_know_is_named(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "network.onnx"
    builder = GraphBuilder()
    path.write_bytes(builder.finish(builder.add("Erf", INPUT)))
    with pytest.raises(PeerError, match="Erf"):
        TorchGraph(path, torch.float32)
