"""ncnn, from the card's own files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.alternate import PeerError
from enlarger.models import Graph
from enlarger.runtimes import FLOAT32, NcnnRuntime


def open_tile(graph: Graph, tile: NDArray[np.uint8], threads: int, dtype: str) -> Callable[[], object]:
    """See `tile_peers.Open`."""
    runtime = NcnnRuntime(threads=threads)
    if not runtime.devices():
        raise PeerError("not here")
    if not runtime.supports(graph):
        raise PeerError("has no ncnn form")
    height, width = tile.shape[:2]
    session = runtime.open(graph, tile=(height, width), device="cpu", dtype=dtype, pixels=FLOAT32)
    pixels = tile.astype(np.float32) / np.float32(255)
    return lambda: list(session.run([pixels]))
