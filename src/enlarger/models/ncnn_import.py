"""Turn an ncnn network into an ONNX graph: one small function for each type of layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import Message, msg
from enlarger.models.ncnn_format import Layer, WeightReader
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.models.refusal import refusal

_MAX_RATIO = 8  # of a resize, up or down


@dataclass(frozen=True)
class _Step:
    """One layer with its place in the graph."""

    layer: Layer
    inputs: tuple[str, ...]
    graph: GraphBuilder
    weights: WeightReader

    def require(self, holds: bool) -> None:
        if not holds:
            raise _UnsupportedError(msg("its parameters ask for something that no published network uses"))


class _UnsupportedError(Exception):
    """Why one layer cannot be turned; becomes a refusal that names the file."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def import_ncnn(layers: tuple[Layer, ...], weights: bytes, *, name: str) -> bytes:
    """The network as an ONNX model, input and output as `GraphBuilder` names them.

    The last layer's blob is the output. Raises WeightsRefusedError, naming the file `name` and the layer,
    for layers or parameters that are not understood to the last one.
    """
    graph, reader = GraphBuilder(), WeightReader(weights, name=name)
    blobs: dict[str, str] = {}
    result = INPUT
    for layer in layers:
        result = _import_layer(layer, blobs, graph, reader, name)
        blobs.update(dict.fromkeys(layer.outputs, result))
    reader.finish()
    return graph.finish(result)


def _import_layer(layer: Layer, blobs: Mapping[str, str], graph: GraphBuilder, reader: WeightReader, name: str) -> str:
    try:
        handler, known = _LAYERS[layer.type]
        if unknown := layer.params.keys() - known:
            raise _UnsupportedError(msg("it has a parameter {key} of unknown meaning", key=min(unknown)))
        return handler(_Step(layer, tuple(blobs[blob] for blob in layer.inputs), graph, reader))
    except _UnsupportedError as error:
        reason = error.reason
    except KeyError as error:
        reason = msg("it, or a blob it reads, is not known ({key})", key=error.args[0])
    except (ValueError, OverflowError) as error:  # NumPy: weights that don't fit the shape the layer states
        reason = msg("its shape contradicts itself ({reason})", reason=str(error))
    raise refusal(name, msg("layer {layer} ({type}): {reason}", layer=layer.name, type=layer.type, reason=reason))


def _input(_step: _Step) -> str:
    return INPUT


def _split(step: _Step) -> str:
    return step.inputs[0]


def _convolution(step: _Step) -> str:
    weight, bias = _kernel(step)
    left = step.layer.integer(4)
    top, right = step.layer.integer(14, left), step.layer.integer(15, left)
    pads = (top, left, step.layer.integer(16, top), right)
    step.require(all(0 <= pad < weight.shape[2] for pad in pads))
    result = step.graph.conv(step.inputs[0], weight, bias, stride=step.layer.integer(3, 1), pads=pads)
    return _activated(step, result)


def _deconvolution(step: _Step) -> str:
    weight, bias = _kernel(step)
    stride, pad = step.layer.integer(3, 1), step.layer.integer(4)
    step.require(weight.shape[2] >= stride > 0 <= pad)
    step.require(all(step.layer.integer(key, pad) == pad for key in (14, 15, 16)))
    return step.graph.transposed_conv(
        step.inputs[0], weight, bias, stride=stride, pad=pad, activate=partial(_activated, step)
    )


def _kernel(step: _Step) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (out, in, k, k) and bias; ncnn keeps transposed ones in the same order."""
    outputs, size = step.layer.integer(0), step.layer.integer(1)
    step.require(step.layer.integer(2, 1) == 1 and outputs > 0 and 0 <= step.layer.integer(4) < size)
    step.require(
        all(step.layer.integer(key + 10, step.layer.integer(key, 1)) == step.layer.integer(key, 1) for key in (1, 2, 3))
    )
    weight = step.weights.tagged(step.layer.integer(6)).reshape(outputs, -1, size, size)
    return weight, _bias(step, outputs, key=5)


def _bias(step: _Step, outputs: int, *, key: int) -> NDArray[np.float32]:
    return step.weights.raw(outputs) if step.layer.integer(key) else np.zeros(outputs, np.float32)


def _activated(step: _Step, x: str) -> str:
    """ncnn writes an activation into the layer before it."""
    kind = step.layer.integer(9)
    if kind == 0:
        return x
    if kind == 2:
        step.require(len(step.layer.array(10)) == 1)
        return step.graph.add("LeakyRelu", x, alpha=float(step.layer.array(10)[0]))
    step.require(kind in _ACTIVATIONS)
    return step.graph.add(_ACTIVATIONS[kind], x)


_ACTIVATIONS = {1: "Relu", 4: "Sigmoid"}


def _inner_product(step: _Step) -> str:
    """Its input here is always a global average, (1, C, 1, 1): a 1x1 convolution keeps it so."""
    outputs = step.layer.integer(0)
    weight = step.weights.tagged(step.layer.integer(2)).reshape(outputs, -1, 1, 1)
    return _activated(step, step.graph.conv(step.inputs[0], weight, _bias(step, outputs, key=1)))


def _pooling(step: _Step) -> str:
    step.require(step.layer.integer(0) == 1 and step.layer.integer(4) == 1)  # the average over the whole plane
    return step.graph.add("GlobalAveragePool", step.inputs[0])


def _scale(step: _Step) -> str:
    step.require(step.layer.integer(0) == -233 and len(step.inputs) == 2)  # the factors are the second blob
    return step.graph.add("Mul", *step.inputs)


def _binary(step: _Step) -> str:
    """Of two blobs, or of one and a number."""
    kind = step.layer.integer(0)
    step.require(kind in _BINARY and len(step.inputs) == 2 - step.layer.integer(1))
    if step.layer.integer(1):
        number = step.graph.constant(np.array(step.layer.number(2), np.float32))
        return step.graph.add(_BINARY[kind], step.inputs[0], number)
    return step.graph.add(_BINARY[kind], *step.inputs)


_BINARY = {0: "Add", 1: "Sub", 2: "Mul", 3: "Div"}


def _eltwise(step: _Step) -> str:
    factors = step.layer.array(1, (1,) * len(step.inputs))
    step.require(step.layer.integer(0) == 1 and len(factors) == len(step.inputs) == 2)
    terms = (step.graph.scaled(blob, float(factor)) for blob, factor in zip(step.inputs, factors, strict=True))
    return step.graph.add("Add", *terms)


def _crop(step: _Step) -> str:
    """The same number of pixels off every side.

    With a second blob ncnn crops to that blob's size; the networks only do so where both ends agree.
    """
    first, last, axes = step.layer.array(9), step.layer.array(10), step.layer.array(11)
    if len(step.inputs) == 2:
        first = (step.layer.integer(0), step.layer.integer(1))
        last, axes = (-first[0], -first[1]), (-2, -1)
    step.require(axes == (-2, -1) and len(first) == len(last) == 2)
    step.require(first[0] == first[1] == -last[0] == -last[1] > 0)
    return step.graph.crop(step.inputs[0], int(first[0]), int(first[0]))


def _interp(step: _Step) -> str:
    kind, ratio = step.layer.integer(0), Fraction(step.layer.number(1, 1))
    step.require(kind in (1, 3) and ratio == step.layer.number(2, 1) and 0 < ratio <= _MAX_RATIO)
    step.require(not any(step.layer.integer(key) for key in _SIZES_AND_CORNERS))
    if kind == 1:
        step.require(ratio.denominator == 1)
        return step.graph.nearest(step.inputs[0], int(ratio))
    step.require(ratio.denominator <= _MAX_RATIO)
    return step.graph.bicubic(step.inputs[0], ratio, channels=3)


_SIZES_AND_CORNERS = (3, 4, 5, 6)  # a fixed size, or one from another blob, or corners that meet


def _prelu(step: _Step) -> str:
    slopes = step.weights.raw(step.layer.integer(0)).reshape(-1, 1, 1)
    return step.graph.add("PRelu", step.inputs[0], step.graph.constant(slopes))


def _pixel_shuffle(step: _Step) -> str:
    factor, mode = step.layer.integer(0, 1), step.layer.integer(1)
    step.require(1 <= factor <= _MAX_RATIO and mode in (0, 1))
    shuffle = step.graph.interleave if mode else step.graph.pixel_shuffle
    return shuffle(step.inputs[0], factor)


def _concat(step: _Step) -> str:
    return step.graph.add("Concat", *step.inputs, axis=1)


def _relu(step: _Step) -> str:
    slope = float(step.layer.number(0))
    return step.graph.add("LeakyRelu", step.inputs[0], alpha=slope) if slope else step.graph.add("Relu", step.inputs[0])


def _sigmoid(step: _Step) -> str:
    return step.graph.add("Sigmoid", step.inputs[0])


_KERNEL_KEYS = frozenset({*range(7), *range(9, 17)})  # from 11 on the height's, where it is not the width's
_LAYERS: Mapping[str, tuple[Callable[[_Step], str], frozenset[int]]] = {
    # type of layer: what turns it, and the parameters whose meaning that function knows
    "Input": (_input, frozenset({0, 1, 2})),
    "Split": (_split, frozenset()),
    "Convolution": (_convolution, _KERNEL_KEYS),
    "Deconvolution": (_deconvolution, _KERNEL_KEYS),
    "InnerProduct": (_inner_product, frozenset({0, 1, 2, 9, 10})),
    "Pooling": (_pooling, frozenset({0, 4})),
    "Scale": (_scale, frozenset({0})),
    "BinaryOp": (_binary, frozenset({0, 1, 2})),
    "Eltwise": (_eltwise, frozenset({0, 1})),
    "Crop": (_crop, frozenset({0, 1, 9, 10, 11})),
    "Interp": (_interp, frozenset({0, 1, 2, *_SIZES_AND_CORNERS})),
    "ReLU": (_relu, frozenset({0})),
    "Sigmoid": (_sigmoid, frozenset()),
    "PReLU": (_prelu, frozenset({0})),
    "PixelShuffle": (_pixel_shuffle, frozenset({0, 1})),
    "Concat": (_concat, frozenset()),
}
