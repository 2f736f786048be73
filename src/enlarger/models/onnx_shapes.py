"""The sizes of all that an ONNX graph makes of one input, found without running it."""

from __future__ import annotations

import math
from typing import Any

_SHAPING_VALUES = 1024  # a constant no larger may be a shape, an offset or a factor, from which other shapes follow


def leave_out_weights(graph: Any) -> None:
    """Turn a graph's weights into inputs, and forget what it says of its results: only shapes will be asked for."""
    import onnx

    del graph.value_info[:]
    for weight in [each for each in graph.initializer if math.prod(each.dims) > _SHAPING_VALUES]:
        graph.input.append(onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
        graph.initializer.remove(weight)


def with_shapes(model: Any, height: int, width: int, *, strict: bool) -> Any:
    """A copy of the model, weights left out before, whose results have the shapes that an input of this size gives.

    strict: raise onnx's InferenceError where an operator does not fit; else what follows from it has no shape.
    """
    import onnx

    shaped = onnx.ModelProto()
    shaped.CopyFrom(model)
    for dim, length in zip(shaped.graph.input[0].type.tensor_type.shape.dim, (1, 3, height, width), strict=True):
        dim.dim_value = length
    shaped.graph.output[0].type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(shaped, strict_mode=strict, data_prop=True)
