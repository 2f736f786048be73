"""Sizes inside a graph: weights are not needed for them, constants that may be shapes are."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import onnx_files
from enlarger.models import leave_out_weights, with_shapes


def shapes(model: Any, height: int, width: int, *, strict: bool = True) -> dict[str, list[int]]:
    leave_out_weights(model.graph)
    graph = with_shapes(model, height, width, strict=strict).graph
    infos = (*graph.value_info, *graph.output)
    return {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in infos}


def looked_up(values: int) -> Any:
    """A reshape to what stands at four places of a longer constant."""
    table = np.arange(values, dtype=np.int64)
    nodes = [
        helper.make_node("Gather", ["table", "places"], ["shape"]),
        helper.make_node("Reshape", ["input", "shape"], ["inside"]),
        helper.make_node("Relu", ["inside"], ["output"]),
    ]
    return onnx_files.model(nodes, {"table": table, "places": np.array([1, 3, 8, 2])})


def test_all_that_a_graph_makes_has_its_size() -> None:
    found = shapes(onnx_files.plain_2x(), 6, 4)
    assert found == {"x": [1, 8, 6, 4], "y": [1, 8, 6, 4], "deep": [1, 12, 6, 4], "output": [1, 3, 12, 8]}


def test_weights_are_left_out_and_the_model_is_as_before() -> None:
    model = onnx_files.plain_2x(np.float64, kind=onnx.TensorProto.DOUBLE)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((64, 64)), "weight"))
    leave_out_weights(model.graph)
    assert "weight" not in [each.name for each in model.graph.initializer]
    before = model.SerializeToString()
    with_shapes(model, 6, 4, strict=True)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("values", [10, 1024])
def test_shapes_are_looked_up_in_tables(values: int) -> None:
    assert shapes(looked_up(values), 4, 4)["inside"] == [1, 3, 8, 2]


def test_what_does_not_fit_is_refused_or_has_no_size() -> None:
    def model() -> Any:
        constants = {"w": np.zeros((1, 5, 1, 1), np.float32)}
        return onnx_files.model([helper.make_node("Add", ["input", "w"], ["output"])], constants)

    with pytest.raises(onnx.shape_inference.InferenceError):
        shapes(model(), 6, 4)
    assert shapes(model(), 6, 4, strict=False)["output"] == []
