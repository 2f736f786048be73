"""Our ONNX graphs as PyTorch operations: the operators that our importers write, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.alternate import PeerError

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class _Step:
    """One operation: names of what it reads and writes, and of what nobody reads after it."""

    call: Callable[..., Any]
    inputs: tuple[str, ...]
    output: str
    attributes: Attributes
    last_use: tuple[str, ...]


class TorchGraph:
    """The graph at `path` with weights of `dtype`; called with (1, 3, H, W), returns the same kind of tensor.

    Raises PeerError for an operator it does not know.
    """

    def __init__(self, path: Path, dtype: Any) -> None:
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(path).graph
        self._input, self._output = graph.input[0].name, graph.output[0].name
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._constants = {name: _weight(array, dtype) for name, array in arrays.items()}
        self._steps = _steps(graph.node, keep={*arrays, self._output})

    def __call__(self, x: Any) -> Any:
        values = {self._input: x}
        for step in self._steps:
            inputs = [self._constants[n] if n in self._constants else values[n] for n in step.inputs if n]
            values[step.output] = step.call(*inputs, **step.attributes)
            for name in step.last_use:
                del values[name]
        return values[self._output]


def _weight(array: Any, dtype: Any) -> Any:
    """Floats as tensors, kernels channels last; whole numbers stay lists, because they are arguments, not data."""
    import torch

    if array.dtype.kind != "f":
        return array.tolist()
    tensor = torch.from_numpy(array.copy()).to(dtype)
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _steps(nodes: Sequence[Any], keep: set[str]) -> list[_Step]:
    from onnx import helper

    last = {name: index for index, node in enumerate(nodes) for name in node.input if name and name not in keep}
    steps = []
    for index, node in enumerate(nodes):
        if node.op_type not in _OPERATORS:
            raise PeerError(f"does not know the operator {node.op_type}")
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        over = tuple({name for name in node.input if last.get(name) == index})
        steps.append(_Step(_OPERATORS[node.op_type], tuple(node.input), node.output[0], attributes, over))
    return steps


def _conv(x: Any, weight: Any, bias: Any = None, **attributes: Any) -> Any:
    from torch.nn import functional as f

    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        x, top, left = f.pad(x, (left, right, top, bottom)), 0, 0
    return f.conv2d(
        x, weight, bias, stride=attributes.get("strides", 1), padding=(top, left), groups=attributes.get("group", 1)
    )


def _leaky_relu(x: Any, *, alpha: float = 0.01) -> Any:
    from torch.nn import functional as f

    return f.leaky_relu(x, alpha)


def _prelu(x: Any, slope: Any) -> Any:
    from torch.nn import functional as f

    return f.prelu(x, slope.flatten())


def _depth_to_space(x: Any, *, blocksize: int, mode: bytes = b"DCR") -> Any:
    from torch.nn import functional as f

    if mode == b"DCR":  # (f*f, C) ordered channels to PyTorch's (C, f*f)
        x = x.unflatten(1, (blocksize**2, -1)).transpose(1, 2).flatten(1, 2)
    return f.pixel_shuffle(x, blocksize)


def _slice(x: Any, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> Any:
    for start, end, axis in zip(starts, ends, axes, strict=True):
        length = x.shape[axis]
        x = x.narrow(axis, start, min(end if end >= 0 else length + end, length) - start)
    return x


def _resize(x: Any, scales: Any, **_: Any) -> Any:
    """Nearest only: the one mode in which our graphs use Resize."""
    from torch.nn import functional as f

    return f.interpolate(x, scale_factor=[float(scale) for scale in scales[2:]], mode="nearest")


def _pad(x: Any, pads: Sequence[int], **_: Any) -> Any:
    """By edge pixels: the one mode in which our graphs use Pad."""
    from torch.nn import functional as f

    return f.pad(x, (pads[3], pads[7], pads[2], pads[6]), mode="replicate")


def _concat(*parts: Any, axis: int) -> Any:
    import torch

    return torch.cat(parts, dim=axis)


_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "Add": lambda a, b: a + b,
    "Concat": _concat,
    "Conv": _conv,
    "DepthToSpace": _depth_to_space,
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Identity": lambda x: x,
    "LeakyRelu": _leaky_relu,
    "Mul": lambda a, b: a * b,
    "PRelu": _prelu,
    "Pad": _pad,
    "Relu": lambda x: x.relu(),
    "Resize": _resize,
    "Sigmoid": lambda x: x.sigmoid(),
    "Slice": _slice,
}
