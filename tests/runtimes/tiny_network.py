"""A network of one valid convolution and one pixel shuffle, as ONNX, as ncnn, and as NumPy to compare with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enlarger.messages import Message

SCALE = 2
BORDER = 1
CHANNELS = 3 * SCALE * SCALE


@dataclass(frozen=True)
class TinyVariant:
    name: str = "TINY_UP2X"
    scale: int = SCALE
    border: int = BORDER
    multiple: int = 1
    remainder: int = 0


@dataclass(frozen=True)
class TinyNcnnFiles:
    param: Path
    bin: Path


@dataclass(frozen=True)
class TinyGraph:
    path: Path
    digest: str
    variant: TinyVariant
    ncnn: TinyNcnnFiles | None
    no_ncnn: Message | None = None


@pytest.fixture(name="tiny_graph")
def tiny_graph_fixture(tmp_path: Path) -> TinyGraph:
    """For tests that import it: a conftest.py here would hide the one above."""
    return make_tiny_graph(tmp_path)


def make_tiny_graph(folder: Path, *, seed: int = 0, with_ncnn: bool = True) -> TinyGraph:
    """Files in `folder`; the weights overshoot 0..1, so that clipping shows."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 0.35, (CHANNELS, 3, 3, 3)).astype(np.float32)
    bias = np.full(CHANNELS, 0.4, np.float32)
    path = folder / f"tiny{seed}.onnx"
    path.write_bytes(_onnx(weight, bias))
    ncnn = _ncnn(folder, seed, weight, bias) if with_ncnn else None
    return TinyGraph(path, hashlib.sha256(path.read_bytes()).hexdigest(), TinyVariant(), ncnn)


def reference(graph: TinyGraph, tile: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float64]:
    """What the network makes of a tile, in 0..1, clipped, in double precision."""
    weights = {w.name: numpy_helper.to_array(w).astype(np.float64) for w in onnx.load(graph.path).graph.initializer}
    planes = tile.astype(np.float64).transpose(2, 0, 1) / (255 if tile.dtype == np.uint8 else 1)
    windows = np.lib.stride_tricks.sliding_window_view(planes, (3, 3), axis=(1, 2))
    features = np.einsum("chwij,ocij->ohw", windows, weights["weight"]) + weights["bias"][:, None, None]
    height, width = features.shape[1:]
    shuffled = features.reshape(3, SCALE, SCALE, height, width).transpose(3, 1, 4, 2, 0)
    return np.clip(shuffled.reshape(height * SCALE, width * SCALE, 3), 0, 1)


def _onnx(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> bytes:
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["features"], kernel_shape=[3, 3]),
        helper.make_node("DepthToSpace", ["features"], ["y"], blocksize=SCALE, mode="CRD"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, "H", "W"])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()


def _ncnn(folder: Path, seed: int, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> TinyNcnnFiles:
    files = TinyNcnnFiles(folder / f"tiny{seed}.param", folder / f"tiny{seed}.bin")
    files.param.write_text(
        "7767517\n3 3\n"
        "Input x 0 1 x\n"
        f"Convolution conv 1 1 x features 0={CHANNELS} 1=3 5=1 6={weight.size}\n"
        f"PixelShuffle shuffle 1 1 features y 0={SCALE}\n"
    )
    files.bin.write_bytes(bytes(4) + weight.tobytes() + bias.tobytes())  # four zero bytes: fp32 follows
    return files
