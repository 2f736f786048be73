"""Take a person's ONNX file: refuse what is not one plain network, and give it the face that all graphs have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from enlarger.messages import Message, msg
from enlarger.models.onnx_builder import INPUT, OUTPUT
from enlarger.models.refusal import refusal

_MAX_BYTES = 2 * 1024**3 - 1  # protobuf's own limit
_OLDEST_OPSET = 7
_STANDARD = ("", "ai.onnx")
_RANDOM = frozenset({"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"})
_RANDOM_TOO = _RANDOM | {"RandomUniformLike"}
_REMEDY = msg("Export it again as one file of standard operators, without control flow; onnxsim can do that.")


class _UnusableError(Exception):
    """Why the network cannot be taken; becomes a refusal that names the file."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def import_onnx(path: Path) -> bytes:
    """The network as an ONNX model, input and output as `GraphBuilder` names them, height and width dynamic.

    It must read one picture of three channels and make one, in fp32 or fp16; nothing of it is run here. Raises
    WeightsRefusedError, naming the file, where it keeps weights in other files, has operators outside of ONNX's own,
    control flow or random numbers.
    """
    import onnx

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _UnusableError(msg("it is larger than an ONNX file can be"))
        model = _parsed(path.read_bytes())
        _check(model)
        onnx.checker.check_model(model)
        _check_shapes(model.graph)
        return _faced(model)
    except _UnusableError as error:
        raise refusal(str(path), error.reason, _REMEDY) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise refusal(str(path), msg("it cannot be read ({reason})", reason=reason)) from error
    except (onnx.checker.ValidationError, ValueError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise refusal(str(path), msg("the file is broken ({reason})", reason=reason), _REMEDY) from error


def _parsed(data: bytes) -> Any:
    import onnx

    try:
        return onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's DecodeError: a class of a library that comes with onnx, untyped
        raise _UnusableError(msg("this is not an ONNX file")) from error


def _check(model: Any) -> None:
    """What the checker of ONNX would follow or let pass."""
    if any(tensor.external_data or tensor.data_location for tensor in _tensors(model.graph)):
        raise _UnusableError(msg("it keeps its weights in other files"))
    if model.functions or any(entry.domain not in _STANDARD for entry in model.opset_import if _is_used(model, entry)):
        raise _UnusableError(msg("it has operators that are not ONNX's own"))
    if any(entry.version < _OLDEST_OPSET for entry in model.opset_import if entry.domain in _STANDARD):
        raise _UnusableError(msg("it is older than operator set {version}", version=_OLDEST_OPSET))
    for node in model.graph.node:
        if node.domain not in _STANDARD:
            raise _UnusableError(msg("operator {name} is not ONNX's own", name=f"{node.domain}.{node.op_type}"))
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise _UnusableError(msg("operator {name} is control flow", name=node.op_type))
        if node.op_type in _RANDOM_TOO:
            raise _UnusableError(msg("operator {name} makes random numbers", name=node.op_type))


def _is_used(model: Any, entry: Any) -> bool:
    """Exporters name sets of operators that they then do not use."""
    return any(node.domain == entry.domain for node in model.graph.node)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)


def _check_shapes(graph: Any) -> None:
    import onnx

    inputs, outputs = _inputs(graph), list(graph.output)
    if len(inputs) != 1 or len(outputs) != 1:
        found = f"{len(inputs)} → {len(outputs)}"
        raise _UnusableError(msg("the network has not exactly one input and one output ({found})", found=found))
    for port in (*inputs, *outputs):
        tensor = port.type.tensor_type
        if tensor.elem_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
            raise _UnusableError(msg("“{port}” is neither fp32 nor fp16", port=port.name))
        dims = tensor.shape.dim
        if port is inputs[0] or len(dims):
            _check_picture(port.name, [dim.dim_value for dim in dims])


def _check_picture(name: str, dims: list[int]) -> None:
    if len(dims) != 4 or dims[1] not in (0, 3):  # 0: the file does not say
        found = ", ".join(str(length or "?") for length in dims)
        raise _UnusableError(msg("“{port}” is ({found}), and should be (1, 3, height, width)", port=name, found=found))


def _inputs(graph: Any) -> list[Any]:
    constants = {tensor.name for tensor in graph.initializer}  # old exporters list these among the inputs
    return [port for port in graph.input if port.name not in constants]


def _faced(model: Any) -> bytes:
    """One input and one output of fp32 under our names, no fixed sizes, nothing that is not computed."""
    from onnx import TensorProto, helper

    graph = model.graph
    (given,), (made,) = _inputs(graph), graph.output
    first, last = f"network_{given.name}", f"network_{made.name}"
    _rename(graph)
    nodes = [
        _cast(INPUT, first, given.type.tensor_type.elem_type, from_type=TensorProto.FLOAT),
        *graph.node,
        _cast(last, OUTPUT, TensorProto.FLOAT, from_type=made.type.tensor_type.elem_type),
    ]
    inputs = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, "height", "width"])
    outputs = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, 3, "height_out", "width_out"])
    clean = helper.make_graph(nodes, "enlarger", [inputs], [outputs], list(graph.initializer))
    opsets = [entry for entry in model.opset_import if entry.domain in _STANDARD]
    faced = helper.make_model(clean, opset_imports=opsets, ir_version=model.ir_version, producer_name="enlarger")
    return bytes(faced.SerializeToString(deterministic=True))


def _cast(value: str, result: str, to_type: int, *, from_type: int) -> Any:
    from onnx import helper

    if to_type == from_type:
        return helper.make_node("Identity", [value], [result], name=result)
    return helper.make_node("Cast", [value], [result], name=result, to=to_type)


def _rename(graph: Any) -> None:
    """Every value's name, so that none is one of ours."""
    for node in graph.node:
        node.input[:] = [name and f"network_{name}" for name in node.input]
        node.output[:] = [name and f"network_{name}" for name in node.output]
    for tensor in graph.initializer:
        tensor.name = f"network_{tensor.name}"
