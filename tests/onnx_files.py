"""ONNX files as people have them: other names, other precisions, other operators, and hostile ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def model(
    nodes: list[Any],
    constants: dict[str, Any] | None = None,
    *,
    given: tuple[Any, ...] = (1, 3, "h", "w"),
    made: tuple[Any, ...] = (1, 3, "hh", "ww"),
    kind: int = TensorProto.FLOAT,
    domains: tuple[str, ...] = (),
) -> Any:
    """A model of "input" and "output"; unchecked."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "somebodys",
        [helper.make_tensor_value_info("input", kind, given)],
        [helper.make_tensor_value_info("output", kind, made)],
        tensors,
    )
    opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def plain_2x(dtype: type = np.float32, **options: Any) -> Any:
    """A padded convolution, a ReLU, and a pixel shuffle to twice the size; a value inside is called "x"."""
    rng = np.random.default_rng(4)
    first = (rng.normal(0, 0.2, (8, 3, 3, 3))).astype(dtype)
    second = (rng.normal(0, 0.2, (12, 8, 3, 3))).astype(dtype)
    nodes = [
        helper.make_node("Conv", ["input", "w1"], ["x"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Conv", ["y", "w2"], ["deep"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["deep"], ["output"], blocksize=2, mode="CRD"),
    ]
    return model(nodes, {"w1": first, "w2": second}, **options)


def relu(**options: Any) -> Any:
    return model([helper.make_node("Relu", ["input"], ["output"])], **options)


def one(operator: str, **attributes: Any) -> Any:
    """A single node between input and output."""
    return model([helper.make_node(operator, ["input"], ["output"], **attributes)])


def write(path: Path, made: Any) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def with_external_data(path: Path, location: str) -> Path:
    """Weights that are said to lie in another file."""
    made = plain_2x()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return write(path, made)
