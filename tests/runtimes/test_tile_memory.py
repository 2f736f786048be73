"""Memory of a tile, from the graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from tiny_network import CHANNELS, TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

import onnx_files
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


def test_shapes_that_are_looked_up_count(tiny_graph: TinyGraph, tmp_path: Path) -> None:
    table, places = np.arange(512, dtype=np.int64), np.array([1, 3, 160, 100])
    nodes = [
        helper.make_node("Gather", ["table", "places"], ["shape"]),
        helper.make_node("Expand", ["row", "shape"], ["wide"]),
        helper.make_node("GlobalMaxPool", ["wide"], ["most"]),
        helper.make_node("Add", ["input", "most"], ["output"]),
    ]
    row = np.zeros((1, 3, 1, 1), np.float32)
    model = onnx_files.model(nodes, {"table": table, "places": places, "row": row})
    path = onnx_files.write(tmp_path / "looked up.onnx", model)
    assert tile_bytes(replace(tiny_graph, path=path), (10, 10), runtime="any") >= 3 * 160 * 100 * 4
