"""How much memory one tile of a graph takes, from the graph alone, so that tiles can be planned before one is run.

The sum of the blobs that must live at the same time, at its greatest while the nodes run in the graph's order, in
four bytes a value. Activations that runtimes fuse into the convolution before them take over their input's memory.
What a runtime needs beside the blobs is a measured factor: OpenVINO little, and half of it all in bf16; ncnn unfolds
the input of Winograd convolutions, which takes about six times the blobs (cunet, upconv7, animevideov3 and anime 6B).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from enlarger.models import Graph, leave_out_weights, with_shapes
from enlarger.runtimes.session import BF16, FP32

_BYTES_PER_VALUE = 4
_IN_PLACE = frozenset({"Add", "Clip", "LeakyRelu", "Mul", "PRelu", "Relu", "Sigmoid", "Sub"})


_FACTORS = {("openvino", FP32): 1.25, ("openvino", BF16): 0.75, ("ncnn", FP32): 6.5, ("ncnn", BF16): 5.5}


def tile_bytes(graph: Graph, tile: tuple[int, int], *, runtime: str = "openvino", dtype: str = FP32) -> int:
    """Bytes that one tile (h, w), surroundings included, takes while it is computed; weights are not counted."""
    return int(_peak_bytes(graph.path, tile) * _FACTORS.get((runtime, dtype), 1.0))


@lru_cache(maxsize=256)
def _peak_bytes(path: Path, tile: tuple[int, int]) -> int:
    model = shaped(path, tile)
    sizes = dict(_sizes(model))
    return max(_live_bytes(model, sizes), default=0)


def shaped(path: Path, tile: tuple[int, int]) -> Any:
    """The graph at one size, its weights left out: only shapes are asked for."""
    import onnx

    model = onnx.load(path)
    leave_out_weights(model.graph)
    return with_shapes(model, *tile, strict=False)


def _sizes(model: Any) -> Iterator[tuple[str, int]]:
    graph = model.graph
    for info in (graph.input[0], *graph.value_info, graph.output[0]):
        dims = [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]
        yield info.name, math.prod(dims) * _BYTES_PER_VALUE


def _live_bytes(model: Any, sizes: Mapping[str, int]) -> Iterator[int]:
    """What lives while each node runs: what it reads and makes, and what later nodes still need."""
    graph = model.graph
    last_use = {name: number for number, node in enumerate(graph.node) for name in node.input}
    live = {graph.input[0].name}
    for number, node in enumerate(graph.node):
        dying = {name for name in node.input if last_use[name] == number and name in live}
        taken_over = max((sizes[name] for name in dying), default=0) if node.op_type in _IN_PLACE else 0
        made = {name for name in node.output if name in sizes}
        yield sum(sizes[name] for name in live | made) - taken_over
        live = (live | made) - dying
