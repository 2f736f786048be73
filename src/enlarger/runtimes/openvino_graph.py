"""Dress an ONNX graph for pictures: NHWC in and out, scaling, clipping and rounding inside the graph.

Nothing is then left to do in NumPy for a tile, and OpenVINO fuses these steps with the first and last layers: tiles
of uint8 cost no time over plain float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from enlarger.runtimes.openvino_library import core, openvino
from enlarger.runtimes.session import UINT8


def read_graph(path: Path, *, tile: tuple[int, int], pixels: str) -> Any:
    """An openvino.Model with one input and one output of (1, h, w, 3), `pixels` uint8 or float32, clipped."""
    model = core().read_model(path)
    model.reshape([1, 3, *tile])
    layout, types = openvino().Layout, openvino().Type
    element_type = types.u8 if pixels == UINT8 else types.f32
    steps = openvino().preprocess.PrePostProcessor(model)
    steps.input().model().set_layout(layout("NCHW"))
    steps.input().tensor().set_element_type(element_type).set_layout(layout("NHWC"))
    if pixels == UINT8:
        steps.input().preprocess().convert_element_type(types.f32).scale(255.0)
    steps.output().model().set_layout(layout("NCHW"))
    steps.output().postprocess().custom(_to_uint8_range if pixels == UINT8 else _to_unit_range)
    steps.output().tensor().set_element_type(element_type).set_layout(layout("NHWC"))
    return steps.build()


def _to_uint8_range(output: Any) -> Any:
    operations = openvino().opset13
    scaled = operations.multiply(output, operations.constant(np.float32(255)))
    return operations.round(operations.clamp(scaled, 0.0, 255.0), "half_to_even").output(0)


def _to_unit_range(output: Any) -> Any:
    return openvino().opset13.clamp(output, 0.0, 1.0).output(0)
