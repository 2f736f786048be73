"""Every feature of a picture is counted once, however it is tiled."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from enlarger.runtimes import Part
from enlarger.runtimes.pooling_grid import PoolingGrid, pooling_grids

GRIDS = [(Fraction(1), 0), (Fraction(1, 2), 6), (Fraction(1, 2), 15), (Fraction(1), 34), (Fraction(3, 2), 28)]
TILE, CORE = 96, 56


@pytest.mark.parametrize(("ratio", "lost"), GRIDS)
@given(useful=st.integers(1, 200).map(lambda half: 2 * half))
def test_rows_of_all_tiles_are_the_pictures(ratio: Fraction, lost: int, useful: int) -> None:
    grid = PoolingGrid(ratio, Fraction(lost), 1)
    side = useful + TILE - CORE  # the picture with its halo
    starts = range(0, useful, CORE)
    parts = [
        Part((CORE if start + CORE < useful else TILE,) * 2, (min(TILE, side - start),) * 2, (side, side))
        for start in starts
    ]
    counted = [range(10_000)[grid.counted(part)[0]] for part in parts]
    rows = [ratio * start + row for start, of in zip(starts, counted, strict=True) for row in of]
    assert rows == list(range(int(ratio * side) - lost))
    assert {grid.weight(part) for part in parts} == {1 / len(rows) ** 2}


def test_grids_are_those_of_the_graph(tmp_path: Path) -> None:
    """A valid 3x3 convolution with stride 2 halves the picture and loses one row of what is left."""
    path = tmp_path / "pooled.onnx"
    nodes = [
        helper.make_node("Conv", ["x", "weight"], ["features"], kernel_shape=[3, 3], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["features"], ["average"]),
        helper.make_node("Mul", ["features", "average"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pooled",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, "H", "W"])],
        [helper.make_tensor("weight", TensorProto.FLOAT, [3, 3, 3, 3], [0.1] * 81)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    assert pooling_grids(path) == (PoolingGrid(Fraction(1, 2), Fraction(1), 3),)
