"""What a network does to sizes, from its graph and without running it: scale, border, multiple, how far it sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from enlarger.messages import msg
from enlarger.models.card import Variant
from enlarger.models.onnx_builder import INPUT
from enlarger.models.onnx_shapes import leave_out_weights, with_shapes
from enlarger.models.refusal import refusal

_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_SIDE_PX = 192  # from which all networks have something left
_MOST_SCALE = 8
_MOST_VALUES = 1 << 31  # of one result; the widest published network has 150 million
_DEEP_HALO = 72  # of a network's own pixels: what the deepest published one was measured to need, of 349
_UNKNOWN_HALO = 32


@dataclass(frozen=True)
class Geometry:
    """As `Variant`'s fields of these names."""

    scale: int
    border: int
    multiple: int
    halo: int
    local: bool


def measure(onnx_model: bytes, *, name: str) -> Geometry:
    """The network's own numbers; WeightsRefusedError, naming the file, where its output's size follows no rule."""
    try:
        return _measured(onnx_model, name)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # a stride of 0, a scale that is no number
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _measured(onnx_model: bytes, name: str) -> Geometry:
    import onnx

    model = onnx.load_model_from_string(onnx_model)
    reach = _reach(model.graph)
    leave_out_weights(model.graph)
    for multiple in _MULTIPLES:
        if (law := _law(model, multiple)) is not None:
            scale, border = law
            _refuse_bombs(model, multiple, name)
            local = reach is not None and not reach.everywhere
            return Geometry(scale, border, multiple, _halo(reach, border, multiple), local=local)
    raise refusal(
        name,
        msg("the size of its output cannot be told from that of its input"),
        msg("Export it with dynamic height and width; its output must be a whole number of times as large."),
    )


def _refuse_bombs(model: Any, multiple: int, name: str) -> None:
    """A small file can ask for more memory than there is."""
    side = math.ceil(_SIDE_PX / multiple) * multiple
    inferred = with_shapes(model, side, side, strict=True)
    shapes = ([dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in inferred.graph.value_info)
    if (most := max(map(math.prod, shapes), default=0)) > _MOST_VALUES:
        raise refusal(
            name, msg("one of its results has {count} values for {side} x {side} pixels", count=most, side=side)
        )


def check_sizes(onnx_model: bytes, variant: Variant, *, name: str) -> None:
    """Raises WeightsRefusedError, naming the file, where the network gives another size than the variant's.

    What its graph does not tell is let pass: networks of windows often say nothing.
    """
    import onnx

    model = onnx.load_model_from_string(onnx_model)
    leave_out_weights(model.graph)
    side = math.ceil(_SIDE_PX / variant.multiple) * variant.multiple + variant.remainder
    found, expected = _output(model, side, side), (side - 2 * variant.border) * variant.scale
    if found is not None and found != (expected, expected):
        raise refusal(
            name,
            msg(
                "it makes {found} pixels of {side}, and {model} should make {expected}",
                found=found[0],
                side=side,
                model=variant.name,
                expected=expected,
            ),
        )


def _law(model: Any, multiple: int) -> tuple[int, int] | None:
    """(scale, border) where output = (input - 2 * border) * scale at all sides of this multiple, of either axis."""
    start = math.ceil(_SIDE_PX / multiple) * multiple
    sides = [start + step * multiple for step in (0, 1, 2, 3, 5)]
    made = [_output(model, side, start) for side in sides] + [_output(model, start, side) for side in sides]
    if any(size is None for size in made):
        return None
    heights, widths = [size[0] for size in made[:5] if size], [size[1] for size in made[5:] if size]
    scale, rest = divmod(heights[1] - heights[0], multiple)
    border = Fraction(scale * start - heights[0], 2 * scale) if scale > 0 else Fraction(-1)
    expected = [(side - 2 * border) * scale for side in sides]
    fits = heights == widths == expected and not rest and border >= 0 and border.denominator == 1
    return (scale, int(border)) if fits and scale <= _MOST_SCALE else None


def _output(model: Any, height: int, width: int) -> tuple[int, int] | None:
    """The output's sides; None where the network does not fit such an input, or nothing can be told."""
    import onnx

    try:
        inferred = with_shapes(model, height, width, strict=True)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return None
    dims = [dim.dim_value for dim in inferred.graph.output[0].type.tensor_type.shape.dim]
    return (dims[2], dims[3]) if len(dims) == 4 and dims[:2] == [1, 3] and min(dims) > 0 else None


@dataclass(frozen=True)
class _Reach:
    """radius: input pixels a side that a value depends on. step: input pixels between two neighbours.

    widest: the largest step on the way. padded: whether a convolution saw beyond its input's edge. everywhere: whether
    averages over the whole went in (squeeze and excitation), which change slowly.
    """

    radius: Fraction = Fraction(0)
    step: Fraction = Fraction(1)
    widest: Fraction = Fraction(1)
    padded: bool = False
    everywhere: bool = False

    def seeing(self, features: int | Fraction, *, factor: Fraction = Fraction(1), padded: bool = False) -> _Reach:
        """Through an operator that reads so many features a side, and makes one for every `factor` of them."""
        step = self.step * factor
        radius = self.radius + features * self.step
        return replace(self, radius=radius, step=step, widest=max(self.widest, step), padded=self.padded or padded)


def _halo(reach: _Reach | None, border: int, multiple: int) -> int:
    """A valid network needs its border; a padded one what it sees, or what the deepest was measured to need."""
    if reach is None:
        px = max(border, _UNKNOWN_HALO)
    elif not reach.padded and border:
        px = border
    else:
        px = max(border, math.ceil(min(reach.radius, _DEEP_HALO * reach.widest)))
    stride = multiple // math.gcd(multiple, 2)  # the halo counts twice a tile
    return math.ceil(px / stride) * stride


def _reach(graph: Any) -> _Reach | None:
    """How far the output sees; None where that is everywhere, or not understood."""
    constants: dict[str, Any] = {tensor.name: tensor for tensor in graph.initializer}
    seen: dict[str, _Reach] = {INPUT: _Reach()}
    for node in graph.node:
        given = [seen[name] for name in node.input if name in seen]
        if not given:  # constants of the graph, and shapes
            continue
        handler = _SEEING.get(node.op_type, _refuse)
        made = handler(node, _widest(given), constants)
        if made is None:
            return None
        seen.update(dict.fromkeys(node.output, made))
    return seen.get(graph.output[0].name)


def _widest(given: list[_Reach]) -> _Reach:
    return _Reach(
        max(each.radius for each in given),
        max(each.step for each in given),
        max(each.widest for each in given),
        any(each.padded for each in given),
        any(each.everywhere for each in given),
    )


_Handler = Callable[[Any, _Reach, Mapping[str, Any]], "_Reach | None"]


def _refuse(_node: Any, _given: _Reach, _constants: Mapping[str, Any]) -> _Reach | None:
    return None


def _same(_node: Any, given: _Reach, _constants: Mapping[str, Any]) -> _Reach | None:
    return given


def _average(_node: Any, given: _Reach, _constants: Mapping[str, Any]) -> _Reach | None:
    return replace(given, everywhere=True)


def _window(node: Any, given: _Reach, constants: Mapping[str, Any]) -> _Reach | None:
    """Convolutions and poolings."""
    kernels = _list(node, "kernel_shape") or list(constants[node.input[1]].dims[2:])
    dilations, strides = (_list(node, key) or [1, 1] for key in ("dilations", "strides"))
    features = max(kernel // 2 * dilation for kernel, dilation in zip(kernels, dilations, strict=True))
    return given.seeing(features, factor=Fraction(max(strides)), padded=any(_list(node, "pads")))


def _transposed(node: Any, given: _Reach, constants: Mapping[str, Any]) -> _Reach | None:
    kernels = _list(node, "kernel_shape") or list(constants[node.input[1]].dims[2:])
    stride = max(_list(node, "strides") or [1])
    return given.seeing(max(kernels) // stride, factor=Fraction(1, stride))


def _unfold(node: Any, given: _Reach, _constants: Mapping[str, Any]) -> _Reach | None:
    return given.seeing(0, factor=Fraction(1, _list(node, "blocksize")[0]))


def _fold(node: Any, given: _Reach, _constants: Mapping[str, Any]) -> _Reach | None:
    size = _list(node, "blocksize")[0]
    return given.seeing(size - 1, factor=Fraction(size))


def _resize(node: Any, given: _Reach, constants: Mapping[str, Any]) -> _Reach | None:
    """By constant factors; a size that is computed is not understood."""
    from onnx import numpy_helper

    scales = constants.get(node.input[2] if node.op_type == "Resize" and len(node.input) > 2 else node.input[-1])
    values = [] if scales is None else numpy_helper.to_array(scales).tolist()
    if len(values) != 4 or min(values) <= 0:
        return None
    return given.seeing(2, factor=Fraction(1 / max(values[2:])).limit_denominator(64))


def _list(node: Any, key: str) -> list[int]:
    for attribute in node.attribute:
        if attribute.name == key:
            return list(attribute.ints) or [attribute.i]
    return []


_POINTWISE = (
    *("Add", "Cast", "Clip", "Concat", "Div", "Dropout", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish"),
    *("Identity", "LeakyRelu", "Max", "Min", "Mish", "Mul", "Neg", "PRelu", "Pad", "Pow", "Relu", "Sigmoid", "Slice"),
    *("Softplus", "Split", "Sqrt", "Sub", "Sum", "Tanh", "BatchNormalization"),
)
_SEEING: Mapping[str, _Handler] = {
    **dict.fromkeys(_POINTWISE, _same),
    "GlobalAveragePool": _average,
    **dict.fromkeys(("Conv", "AveragePool", "MaxPool"), _window),
    "ConvTranspose": _transposed,
    "DepthToSpace": _unfold,
    "SpaceToDepth": _fold,
    **dict.fromkeys(("Resize", "Upsample"), _resize),
}
