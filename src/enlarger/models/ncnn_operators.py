"""How each operator of a graph is said in ncnn's layers: one small function for each.

https://github.com/Tencent/ncnn/wiki/operators says what the layers and their numbered parameters mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from enlarger.models.ncnn_format import format_weights
from enlarger.models.ncnn_node import Array, Node

_TO_THE_END = -233  # in a Crop's ends
_BY_SECOND_BLOB = -233  # as a Scale's size: the factors are its second blob
_FAR = np.iinfo(np.int32).max  # a slice that ends beyond this ends with the plane


def _conv(node: Node) -> str:
    weight = node.needed(1)
    node.require(weight.ndim == 4 and node.attribute("auto_pad", "NOTSET") == "NOTSET")
    outputs, _, height, width = weight.shape
    group = node.attribute("group", 1)
    if node.blob() in node.made.vectors:
        node.require(height == width == group == 1 and not any(node.attribute("pads", [0])))
        return _inner_product(node, weight)
    kind = "ConvolutionDepthWise" if group > 1 else "Convolution"
    params = _window(node, (height, width)) | {"_0": outputs, "_6": weight.size}
    made = node.layer(kind, node.blob(), **params, **({"_7": group} if group > 1 else {}), **_biased(node, 5))
    _keep_kernel(node, weight)
    return made


def _inner_product(node: Node, weight: Array) -> str:
    made = node.layer("InnerProduct", node.blob(), _0=weight.shape[0], **_biased(node, 1), _2=weight.size)
    node.made.vectors.add(made)
    _keep_kernel(node, weight)
    return made


def _transposed_conv(node: Node) -> str:
    weight = node.needed(1)
    node.require(weight.ndim == 4 and node.attribute("group", 1) == 1 and "output_shape" not in node.attributes)
    node.require(node.attribute("auto_pad", "NOTSET") == "NOTSET" and node.blob() not in node.made.vectors)
    params = _window(node, (weight.shape[2], weight.shape[3])) | {"_0": weight.shape[1], "_6": weight.size}
    extra = node.attribute("output_padding", [0, 0])
    params |= {"_18": extra[1], "_19": extra[0]} if any(extra) else {}
    made = node.layer("Deconvolution", node.blob(), **params, **_biased(node, 5))
    _keep_kernel(node, weight.swapaxes(0, 1))
    return made


def _window(node: Node, size: tuple[int, int]) -> dict[str, int]:
    """A kernel's size, dilation, stride and padding, each along the width and along the height."""
    dilation, stride = node.attribute("dilations", [1, 1]), node.attribute("strides", [1, 1])
    top, left, bottom, right = node.attribute("pads", [0, 0, 0, 0])
    across = {"_1": size[1], "_2": dilation[1], "_3": stride[1], "_4": left}
    return across | {"_11": size[0], "_12": dilation[0], "_13": stride[0], "_14": top, "_15": right, "_16": bottom}


def _biased(node: Node, key: int) -> dict[str, int]:
    return {f"_{key}": int(node.constant(2) is not None)}


def _keep_kernel(node: Node, weight: Array) -> None:
    node.made.weights.append(format_weights(weight))
    if len(node.inputs) > 2 and node.inputs[2]:
        node.made.weights.append(_raw(node.needed(2)))


def _raw(values: Array) -> bytes:
    return values.astype("<f4").tobytes()


def _relu(node: Node) -> str:
    return _activation(node, 1, ()) or node.layer("ReLU", node.blob())


def _leaky_relu(node: Node) -> str:
    slope = float(node.attribute("alpha", 0.01))
    return _activation(node, 2, (slope,)) or node.layer("ReLU", node.blob(), _0=slope)


def _sigmoid(node: Node) -> str:
    return _activation(node, 4, ()) or node.layer("Sigmoid", node.blob())


def _activation(node: Node, kind: int, slopes: tuple[float, ...]) -> str:
    """The blob, activated already by what made it, or "". Vectors stay vectors."""
    blob = node.blob()
    if node.made.activate(node.inputs[0], kind, slopes):
        return blob
    node.require(blob not in node.made.vectors)
    return ""


def _tanh(node: Node) -> str:
    return node.layer("TanH", _plane(node))


def _clip(node: Node) -> str:
    bounds = [node.constant(1), node.constant(2)]
    node.require(all(bound is not None or not any(node.inputs[n + 1 : n + 2]) for n, bound in enumerate(bounds)))
    least, most = (bound.item() if bound is not None else default for bound, default in zip(bounds, _OPEN, strict=True))
    least, most = node.attribute("min", least), node.attribute("max", most)  # attributes until opset 11
    return node.layer("Clip", _plane(node), _0=float(least), _1=float(most))


_OPEN = (-3.0e38, 3.0e38)


def _prelu(node: Node) -> str:
    slopes = node.needed(1)
    node.require(slopes.size == 1 or _is_per_channel(slopes))
    made = node.layer("PReLU", _plane(node), _0=slopes.size)
    node.made.weights.append(_raw(slopes))
    return made


def _plane(node: Node, index: int = 0) -> str:
    blob = node.blob(index)
    node.require(blob not in node.made.vectors)
    return blob


def _is_per_channel(values: Array) -> bool:
    """(C, 1, 1), or the same under one picture: (1, C, 1, 1)."""
    return values.ndim >= 3 and values.shape[-2:] == (1, 1) and values.size == values.shape[-3]


def _arithmetic(node: Node) -> str:
    known = [node.constant(0), node.constant(1)]
    if known[1] is not None:
        return _by_constant(node, node.operator, _plane(node), known[1])
    if known[0] is not None:
        operator = {"Sub": "RSub", "Div": "RDiv"}.get(node.operator, node.operator)
        return _by_constant(node, operator, _plane(node, 1), known[0])
    return _by_blob(node, node.blob(), node.blob(1))


def _by_blob(node: Node, first: str, second: str) -> str:
    """Two planes, or a plane whose channels are multiplied by a vector."""
    vectors = [blob in node.made.vectors for blob in (first, second)]
    if not any(vectors):
        return node.layer("BinaryOp", first, second, _0=_BINARY[node.operator])
    node.require(node.operator == "Mul" and not all(vectors))
    plane, factors = (second, first) if vectors[0] else (first, second)
    return node.layer("Scale", plane, factors, _0=_BY_SECOND_BLOB)


def _by_constant(node: Node, operator: str, blob: str, values: Array) -> str:
    if values.size == 1 and values.ndim <= 4:
        return node.layer("BinaryOp", blob, _0=_BINARY[operator], _1=1, _2=float(values.item()))
    node.require(_is_per_channel(values) and operator in _PER_CHANNEL)
    factors, added = _PER_CHANNEL[operator](values.astype(np.float64).reshape(-1))
    made = node.layer("Scale", blob, _0=values.size, _1=1)
    node.made.weights += [_raw(factors), _raw(added)]
    return made


_BINARY = {"Add": 0, "Sub": 1, "Mul": 2, "Div": 3, "RSub": 7, "RDiv": 8}
_PER_CHANNEL: Mapping[str, Callable[[Array], tuple[Array, Array]]] = {  # as x * factor + added
    "Add": lambda c: (np.ones_like(c), c),
    "Sub": lambda c: (np.ones_like(c), -c),
    "RSub": lambda c: (-np.ones_like(c), c),
    "Mul": lambda c: (c, np.zeros_like(c)),
    "Div": lambda c: (1 / c, np.zeros_like(c)),
}


def _concat(node: Node) -> str:
    node.require(node.attribute("axis", 1) in (1, -3))
    return node.layer("Concat", *(_plane(node, index) for index in range(len(node.inputs))))


def _depth_to_space(node: Node) -> str:
    mode = {"DCR": 1, "CRD": 0}[node.attribute("mode", "DCR")]
    return node.layer("PixelShuffle", _plane(node), _0=node.attribute("blocksize", 0), _1=mode)


def _space_to_depth(node: Node) -> str:
    return node.layer("Reorg", _plane(node), _0=node.attribute("blocksize", 0), _1=1)


def _average(node: Node) -> str:
    made = node.layer("Pooling", _plane(node), _0=1, _4=1)
    node.made.vectors.add(made)
    return made


def _slice(node: Node) -> str:
    starts, ends = (node.needed(index).reshape(-1).tolist() for index in (1, 2))
    axes = node.needed(3).reshape(-1).tolist()
    node.require(len(node.inputs) < 5 or bool((node.needed(4) == 1).all()))
    node.require(all(axis in _AXES for axis in axes))
    # in ncnn a 0 or less counts from the end only where it is less
    limits = tuple(_TO_THE_END if end > _FAR else end for end in ends)
    return node.layer("Crop", _plane(node), _9=tuple(starts), _10=limits, _11=tuple(_AXES[axis] for axis in axes))


_AXES = {1: -3, 2: -2, 3: -1, -3: -3, -2: -2, -1: -1}  # of (1, C, H, W): of (C, H, W), from the end


def _pad(node: Node) -> str:
    node.require(len(node.inputs) < 4 or not node.inputs[3])
    before, after = np.split(node.needed(1).astype(int), 2)
    node.require(not any([*before[:2], *after[:2]]) and min(before.min(), after.min()) >= 0)
    kind = {"constant": 0, "edge": 1, "reflect": 2}[node.attribute("mode", "constant")]
    fill = node.constant(2)
    node.require(fill is None or fill.size == 1)
    sides = {"_0": int(before[2]), "_1": int(after[2]), "_2": int(before[3]), "_3": int(after[3])}
    return node.layer("Padding", _plane(node), **sides, _4=kind, _5=0.0 if fill is None else float(fill.item()))


def _resize(node: Node) -> str:
    ratios = node.needed(2).reshape(-1).tolist()
    node.require(len(ratios) == 4 and ratios[:2] == [1, 1] and not node.attribute("antialias", 0))
    mode, centres = node.attribute("mode", "nearest"), node.attribute("coordinate_transformation_mode", "half_pixel")
    if mode == "nearest":
        floors = (centres, node.attribute("nearest_mode", "round_prefer_floor")) == ("asymmetric", "floor")
        node.require(floors and all(ratio == int(ratio) >= 1 for ratio in ratios))
    else:
        node.require(
            centres in ("half_pixel", "pytorch_half_pixel") and node.attribute("cubic_coeff_a", -0.75) == -0.75
        )
        node.require(not node.attribute("exclude_outside", 0))
    kind = {"nearest": 1, "linear": 2, "cubic": 3}[mode]
    return node.layer("Interp", _plane(node), _0=kind, _1=float(ratios[2]), _2=float(ratios[3]))


def _same(node: Node) -> str:
    return node.blob()


OPERATORS: Mapping[str, Callable[[Node], str]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed_conv,
    "Relu": _relu,
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Sigmoid": _sigmoid,
    "Tanh": _tanh,
    "Clip": _clip,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
    "Concat": _concat,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "GlobalAveragePool": _average,
    "Slice": _slice,
    "Pad": _pad,
    "Resize": _resize,
    "Identity": _same,
}
