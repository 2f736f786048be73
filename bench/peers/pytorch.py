"""PyTorch on the CPU, eager, channels last: as the model codebases of the field run it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.alternate import PeerError
from bench.peers.onnxruntime import planes_of
from enlarger.models import Graph


def open_tile(graph: Graph, tile: NDArray[np.uint8], threads: int, dtype: str) -> Callable[[], object]:
    """See `tile_peers.Open`. bf16: weights and activations both."""
    try:
        import torch
    except (ImportError, OSError) as error:
        raise PeerError("not here") from error
    from bench.peers.onnx_to_torch import TorchGraph

    torch.set_num_threads(threads)
    arithmetic = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    network = TorchGraph(graph.path, arithmetic)
    planes = torch.from_numpy(planes_of(tile)).to(arithmetic).contiguous(memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return network(planes)

    return run
