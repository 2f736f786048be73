"""Dress an ONNX graph for pictures: NHWC in and out, scaling, clipping and rounding inside the graph.

Nothing is then left to do in NumPy for a tile, and OpenVINO fuses these steps with the first and last layers: tiles
of uint8 cost no time over plain float32.

Networks with global average poolings (squeeze and excitation) are cut at them, so that the tiles of a picture can share
averages: a pooling's result becomes an input, or the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from enlarger.runtimes.openvino_library import core, openvino
from enlarger.runtimes.session import UINT8

PICTURE, COUNTED = "x", "counted"


@dataclass(frozen=True)
class GraphPart:
    """What of a network is computed: from the picture to the end, or to its pooling number `given`."""

    given: int = 0  # the first so many poolings are inputs instead, named by `average_name`, (batch, C, 1, 1)
    pools: bool = False  # ends at that pooling, over features weighted by an input `COUNTED`, (batch, 1, h, w)


WHOLE = GraphPart()


def average_name(pooling: int) -> str:
    """Of the input that takes this pooling's place."""
    return f"average_{pooling}"


def count_poolings(model: Any) -> int:
    """Global average poolings that the model computes itself."""
    return len(_poolings(model))


def read_graph(path: Path, *, tile: tuple[int, int], pixels: str, part: GraphPart = WHOLE, batch: int = 1) -> Any:
    """An openvino.Model of one part, pictures (batch, h, w, 3), `pixels` uint8 or float32; so is the end, clipped."""
    model = core().read_model(path)
    model.reshape([batch, 3, *tile])
    model = _cut(model, part)
    layout, types = openvino().Layout, openvino().Type
    element_type = types.u8 if pixels == UINT8 else types.f32
    steps = openvino().preprocess.PrePostProcessor(model)
    picture = steps.input(PICTURE)
    picture.model().set_layout(layout("NCHW"))
    picture.tensor().set_element_type(element_type).set_layout(layout("NHWC"))
    if pixels == UINT8:
        picture.preprocess().convert_element_type(types.f32).scale(255.0)
    if not part.pools:
        steps.output().model().set_layout(layout("NCHW"))
        steps.output().postprocess().custom(_to_uint8_range if pixels == UINT8 else _to_unit_range)
        steps.output().tensor().set_element_type(element_type).set_layout(layout("NHWC"))
    return steps.build()


def _poolings(model: Any) -> list[Any]:
    """In the order they are computed; OpenVINO reads ONNX's GlobalAveragePool as ReduceMean."""
    return [operation for operation in model.get_ordered_ops() if operation.get_type_name() == "ReduceMean"]


def _cut(model: Any, part: GraphPart) -> Any:
    if part == WHOLE:
        return model
    poolings = _poolings(model)
    outputs, inputs = [model.output(0).get_node()], model.get_parameters()
    for number, pooling in enumerate(poolings[: part.given]):
        average = _input(pooling.output(0).get_shape(), average_name(number))
        pooling.output(0).replace(average.output(0))
        average.output(0).get_tensor().set_names({average_name(number)})  # `replace` hands on the pooling's names
        inputs.append(average)
    if part.pools:
        counted, outputs = _weighted(poolings[part.given])
        inputs.append(counted)
    return openvino().Model(outputs, inputs)


def _weighted(pooling: Any) -> tuple[Any, list[Any]]:
    """The input that weights the features, and the pooling over features so weighted."""
    operations = openvino().opset13
    features = pooling.input_value(0)
    batch, _, *sides = features.get_shape()
    counted = _input([batch, 1, *sides], COUNTED)
    axes = operations.constant(np.array([2, 3], np.int64))
    return counted, [operations.reduce_mean(operations.multiply(features, counted), axes, keep_dims=True)]


def _input(shape: Any, name: str) -> Any:
    parameter = openvino().opset13.parameter(shape, openvino().Type.f32, name=name)
    parameter.output(0).get_tensor().set_names({name})
    return parameter


def _to_uint8_range(output: Any) -> Any:
    operations = openvino().opset13
    scaled = operations.multiply(output, operations.constant(np.float32(255)))
    return operations.round(operations.clamp(scaled, 0.0, 255.0), "half_to_even").output(0)


def _to_unit_range(output: Any) -> Any:
    return openvino().opset13.clamp(output, 0.0, 1.0).output(0)
