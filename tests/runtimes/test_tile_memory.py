"""Memory of a tile, from the graph."""

from __future__ import annotations

import pytest
from tiny_network import CHANNELS, TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.runtimes import BF16, FP32, tile_bytes


def test_the_greatest_blobs_of_the_tiny_network(tiny_graph: TinyGraph) -> None:
    features = CHANNELS * 30 * 40 * 4  # a valid convolution of 32 x 42; then shuffled into as many values
    assert tile_bytes(tiny_graph, (32, 42), runtime="any") == 2 * features


def test_it_grows_with_the_tile(tiny_graph: TinyGraph) -> None:
    small, large = (tile_bytes(tiny_graph, (side, side)) for side in (64, 256))
    assert 14 < large / small < 18


def test_runtimes_differ(tiny_graph: TinyGraph) -> None:
    needs = [
        tile_bytes(tiny_graph, (64, 64), runtime=runtime, dtype=dtype)
        for runtime, dtype in (("openvino", BF16), ("openvino", FP32), ("ncnn", FP32))
    ]
    assert needs == sorted(needs)
    assert needs[0] == pytest.approx(needs[1] * 0.6, rel=0.01)
