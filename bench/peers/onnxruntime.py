"""ONNX Runtime on the CPU, with the shape fixed and all of its graph optimisations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.alternate import PeerError
from enlarger.models import Graph


def open_tile(graph: Graph, tile: NDArray[np.uint8], threads: int, dtype: str) -> Callable[[], object]:
    """See `tile_peers.Open`; fp32 only."""
    try:
        import onnxruntime as ort
    except (ImportError, OSError) as error:
        raise PeerError("not here") from error
    assert dtype == "fp32", "its CPU provider has no bf16 convolutions"
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    for axis, length in zip(("height", "width"), tile.shape, strict=False):
        options.add_free_dimension_override_by_name(axis, length)
    session = ort.InferenceSession(str(graph.path), options, providers=["CPUExecutionProvider"])
    planes = planes_of(tile)
    return lambda: session.run(None, {"x": planes})


def planes_of(tile: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) uint8 to (1, 3, h, w) float32 0..1."""
    return np.ascontiguousarray(tile.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
