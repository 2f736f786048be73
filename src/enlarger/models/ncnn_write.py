"""Turn an ONNX graph into ncnn's two files, so that every network runs on whatever GPU has Vulkan.

What is not understood to the last attribute is refused by the operator's name: the graph then has no ncnn form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from enlarger.messages import Message, msg
from enlarger.models.ncnn_format import Layer, format_param
from enlarger.models.ncnn_node import Array, NcnnLayers, Node, UnsupportedError
from enlarger.models.ncnn_operators import OPERATORS
from enlarger.models.onnx_builder import INPUT, OUTPUT


class UnwritableError(Exception):
    """Why a graph has no ncnn form."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class WrittenNcnn:
    """The two files."""

    param: str
    bin: bytes


def write_ncnn(onnx: bytes) -> WrittenNcnn:
    """The same network for ncnn, its blobs called as the graph's input and output; raises UnwritableError.

    Weights that fp16 holds exactly are stored in it, all others in fp32: nothing is lost either way.
    """
    import onnx as library

    graph = library.load_model_from_string(onnx).graph
    layers = _begun(graph)
    for node in graph.node:
        _write(node, layers)
    return WrittenNcnn(format_param(tuple(_splits(_ended(layers, graph.output[0].name)))), b"".join(layers.weights))


def _begun(graph: Any) -> NcnnLayers:
    from onnx import numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    given = [value.name for value in graph.input if value.name not in constants]
    if len(given) != 1 or len(graph.output) != 1:
        raise _not_one_to_one()
    uses = Counter(name for node in graph.node for name in node.input)
    uses[graph.output[0].name] += 1
    return NcnnLayers(constants, uses, {given[0]: INPUT}, layers=[Layer("Input", INPUT, (), (INPUT,), {})])


def _not_one_to_one() -> UnwritableError:
    return UnwritableError(msg("the network has not exactly one input and one output"))


def _write(proto: Any, layers: NcnnLayers) -> None:
    from onnx import helper

    attributes = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
    node = Node(proto.op_type, tuple(proto.input), attributes, layers)
    try:
        node.require(len(proto.output) == 1)
        if node.operator == "Constant":
            layers.constants[proto.output[0]] = _value_of(node)
        else:
            node.require(node.operator in OPERATORS)
            layers.blobs[proto.output[0]] = OPERATORS[node.operator](node)
    except (UnsupportedError, ValueError, LookupError, OverflowError, TypeError) as error:
        where = proto.name or (proto.output[0] if proto.output else "")
        raise UnwritableError(
            msg("ncnn has no equal of its operator {operator} ({name})", operator=proto.op_type, name=where)
        ) from error


def _value_of(node: Node) -> Array:
    from onnx import numpy_helper

    tensor = node.attributes.get("value")
    node.require(tensor is not None)
    value: Array = numpy_helper.to_array(tensor)
    return value


def _ended(made: NcnnLayers, result: str) -> list[Layer]:
    """The layers, the last blob called as the graph's output."""
    blob = made.blobs.get(result)
    if blob is None or blob in made.vectors:
        raise _not_one_to_one()
    if blob == INPUT or any(blob in layer.inputs for layer in made.layers):
        return [*made.layers, Layer("Noop", OUTPUT, (blob,), (OUTPUT,), {})]
    return [replace(each, outputs=(OUTPUT,)) if each.outputs == (blob,) else each for each in made.layers]


def _splits(layers: Sequence[Layer]) -> Iterator[Layer]:
    """ncnn lets one layer read a blob: one that several read is split behind the layer that makes it."""
    readers = Counter(blob for layer in layers for blob in layer.inputs)
    taken: Counter[str] = Counter()
    for layer in layers:
        inputs = []
        for blob in layer.inputs:
            inputs.append(f"{blob}_{taken[blob]}" if readers[blob] > 1 else blob)
            taken[blob] += 1
        yield replace(layer, inputs=tuple(inputs))
        for blob in layer.outputs:
            if readers[blob] > 1:
                copies = tuple(f"{blob}_{number}" for number in range(readers[blob]))
                yield Layer("Split", f"split_{blob}", (blob,), copies, {})
