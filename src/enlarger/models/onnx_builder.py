"""Write an ONNX graph node by node: the same bytes every time and on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.models.bicubic import bicubic
from enlarger.models.subpixel import subpixel

INPUT, OUTPUT = "x", "y"
_OPSET, _IR_VERSION = 18, 9  # old enough for every runtime in use


class GraphBuilder:
    """A graph under construction, from `INPUT`: each method adds nodes and returns the name of their result.

    All tensors are NCHW float32 with dynamic height and width. Names are counted, so equal calls give equal bytes.
    """

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}  # by dtype, shape, SHA-256
        self._tensors: list[Any] = []

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """A node of any ONNX operator with one output; an empty input is one left out."""
        from onnx import helper

        result = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [result], name=result, **attributes))
        return result

    def constant(self, values: NDArray[Any]) -> str:
        """A constant tensor, kept once however often it is asked for."""
        from onnx import numpy_helper

        values = np.ascontiguousarray(values)
        key = (values.dtype.str, values.shape, hashlib.sha256(values.tobytes()).digest())
        if key not in self._constants:
            self._constants[key] = f"constant_{len(self._tensors)}"
            self._tensors.append(numpy_helper.from_array(values, self._constants[key]))
        return self._constants[key]

    def conv(
        self,
        x: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        *,
        stride: int = 1,
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        group: int = 1,
    ) -> str:
        """A convolution, `weight` (out, in / group, kh, kw), zero `pads` as (top, left, bottom, right)."""
        biases = () if bias is None else (self.constant(bias),)
        return self.add(
            "Conv",
            x,
            self.constant(weight),
            *biases,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride] * 2,
            pads=list(pads),
            group=group,
        )

    def transposed_conv(
        self,
        x: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        stride: int,
        pad: int,
        activate: Callable[[str], str],
    ) -> str:
        """A transposed convolution, `weight` (out, in, k, k), and what follows it value by value."""
        conv = subpixel(weight, bias, stride=stride, pad=pad)
        phases = activate(self.conv(x, conv.weight, conv.bias, pads=conv.pads))
        return self.crop(self.interleave(phases, stride), *conv.crop)

    def scaled(self, x: str, factor: float) -> str:
        """x * factor."""
        return x if factor == 1 else self.add("Mul", x, self.constant(np.array(factor, np.float32)))

    def pixel_shuffle(self, x: str, factor: int) -> str:
        """Channels to space as PyTorch and ncnn order them: (C*f*f, H, W) to (C, H*f, W*f)."""
        return self.add("DepthToSpace", x, blocksize=factor, mode="CRD") if factor > 1 else x

    def interleave(self, x: str, factor: int) -> str:
        """Like `pixel_shuffle`, of channels ordered (f*f, C): runtimes copy runs of C, in half the time."""
        return self.add("DepthToSpace", x, blocksize=factor, mode="DCR") if factor > 1 else x

    def nearest(self, x: str, factor: int) -> str:
        """Enlarge by a whole number of pixels."""
        sizes = self.constant(np.array([1, 1, factor, factor], np.float32))
        return self.add(
            "Resize", x, "", sizes, mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric"
        )

    def bicubic(self, x: str, ratio: Fraction, *, channels: int) -> str:
        """Resize by `ratio`; see `models.bicubic`."""
        conv = bicubic(ratio)
        pads = np.array([0, 0, conv.pads[0], conv.pads[0], 0, 0, conv.pads[1], conv.pads[1]], np.int64)
        extended = self.add("Pad", x, self.constant(pads), mode="edge")
        weight = np.tile(conv.kernel[:, None], (channels, 1, 1, 1))
        return self.pixel_shuffle(self.conv(extended, weight, None, stride=conv.stride, group=channels), conv.phases)

    def crop(self, x: str, start: int, end: int) -> str:
        """Cut `start` pixels off the top and left, `end` off the bottom and right."""
        if not start and not end:
            return x
        starts, axes = np.array([start] * 2, np.int64), np.array([2, 3], np.int64)
        ends = np.array([-end if end else np.iinfo(np.int64).max] * 2, np.int64)
        return self.add("Slice", x, self.constant(starts), self.constant(ends), self.constant(axes))

    def finish(self, result: str) -> bytes:
        """The whole model as bytes, with `result` as its one output `OUTPUT`."""
        from onnx import TensorProto, helper

        self._nodes.append(helper.make_node("Identity", [result], [OUTPUT], name=OUTPUT))
        given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, "height", "width"])
        made = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, 3, "height_out", "width_out"])
        graph = helper.make_graph(self._nodes, "enlarger", [given], [made], self._tensors)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="enlarger",
        )
        return bytes(model.SerializeToString(deterministic=True))
