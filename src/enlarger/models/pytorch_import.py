"""Turn PyTorch checkpoints into ONNX graphs: SRVGGNetCompact, RRDBNet, Real-CUGAN's, waifu2x's, by names and shapes.

SRVGGNetCompact is Real-ESRGAN's small network (https://github.com/xinntao/Real-ESRGAN); RRDBNet is
ESRGAN's (Wang et al., 2018), under the three sets of names its checkpoints have had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.cugan_import import Cugan, import_cugan, recognise_cugan
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.models.refusal import refusal
from enlarger.models.state_shapes import check_shapes
from enlarger.models.waifu2x_import import Waifu2x, import_waifu2x, recognise_waifu2x

State = Mapping[str, NDArray[np.float32]]

_KNOWN = msg(
    "It knows SRVGGNetCompact, RRDBNet, Real-CUGAN's and waifu2x's networks; others can be added as ONNX files."
)
_SLOPE, _RESIDUAL = 0.2, 0.2  # RRDBNet's LeakyReLU, and the weight of each block's own result
_DENSE_CONVS, _DENSE_BLOCKS = 5, 3
_UNSHUFFLE = {3: 1, 12: 2, 48: 4}  # channels the first convolution reads: by how much the input was folded


@dataclass(frozen=True)
class Srvgg:
    """SRVGGNetCompact: `convs` convolutions with PReLU between, a pixel shuffle, plus the enlarged input."""

    scale: int
    features: int
    convs: int


@dataclass(frozen=True)
class Rrdb:
    """RRDBNet: `blocks` residual-in-residual dense blocks, then 4x; smaller scales fold the input first."""

    scale: int
    features: int
    growth: int
    blocks: int


Architecture = Srvgg | Rrdb | Cugan | Waifu2x


def recognise(state: State, *, name: str) -> Architecture:
    """What network a state dict belongs to; WeightsRefusedError says which tensor is missing, odd or left over."""
    if "body.0.weight" in state:
        return _recognise_srvgg(state, name)
    enlarging = recognise_cugan(state, name=name) or recognise_waifu2x(state, name=name)
    return enlarging or _recognise_rrdb(_current_names(state), name)


def import_pytorch(state: State, *, name: str, enlarged: bool = False) -> bytes:
    """The network as an ONNX model, input and output as `GraphBuilder` names them; raises WeightsRefusedError.

    enlarged: as `Variant.enlarged`; waifu2x's networks alone are used so.
    """
    architecture = recognise(state, name=name)
    if isinstance(architecture, Waifu2x):
        return import_waifu2x(architecture, enlarged=enlarged)
    if isinstance(architecture, Cugan):
        return import_cugan(architecture, state)
    graph = GraphBuilder()
    if isinstance(architecture, Srvgg):
        return graph.finish(_srvgg(graph, state, architecture))
    return graph.finish(_rrdb(graph, _current_names(state), architecture))


def _recognise_srvgg(state: State, name: str) -> Srvgg:
    convs = (len(state) - 2) // 3 + 1  # weight, bias, slopes; no slopes after the last
    features = _outputs(state, "body.0")
    scale = isqrt(_outputs(state, f"body.{2 * convs - 2}") // 3)
    expected: dict[str, tuple[int, ...]] = {}
    for index in range(convs):
        inputs, made = (features if index else 3), (features if index < convs - 1 else 3 * scale**2)
        expected |= {f"body.{2 * index}.weight": (made, inputs, 3, 3), f"body.{2 * index}.bias": (made,)}
        expected |= {f"body.{2 * index + 1}.weight": (made,)} if index < convs - 1 else {}
    check_shapes(state, expected, "SRVGGNetCompact", name)
    return Srvgg(scale, features, convs)


def _outputs(state: State, key: str) -> int:
    """How many channels a convolution makes; 0 when it is not there."""
    weight = state.get(f"{key}.weight")
    return int(weight.shape[0]) if weight is not None and weight.ndim else 0


def _recognise_rrdb(state: State, name: str) -> Rrdb:
    first = state.get("conv_first.weight")
    if first is None or first.ndim != 4 or first.shape[1] not in _UNSHUFFLE:
        found = ", ".join(sorted(state)[:3])
        raise refusal(name, msg("none of the networks Enlarger knows has tensors like {names}", names=found), _KNOWN)
    features, inputs = first.shape[:2]
    blocks = len({key.split(".")[1] for key in state if key.startswith("body.")})
    architecture = Rrdb(4 // _UNSHUFFLE[inputs], features, _outputs(state, "body.0.rdb1.conv1"), blocks)
    check_shapes(state, _rrdb_shapes(architecture, inputs), "RRDBNet", name)
    return architecture


def _rrdb_shapes(net: Rrdb, inputs: int) -> dict[str, tuple[int, ...]]:
    convs = {"conv_first": (inputs, net.features), "conv_last": (net.features, 3)}
    convs |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (net.features, net.features))
    for prefix in _dense_blocks(net):
        for index in range(_DENSE_CONVS):
            made = net.growth if index < _DENSE_CONVS - 1 else net.features
            convs[f"{prefix}.conv{index + 1}"] = (net.features + index * net.growth, made)
    shapes: dict[str, tuple[int, ...]] = {}
    for key, (read, made) in convs.items():
        shapes |= {f"{key}.weight": (made, read, 3, 3), f"{key}.bias": (made,)}
    return shapes


def _dense_blocks(net: Rrdb) -> list[str]:
    return [f"body.{block}.rdb{dense + 1}" for block in range(net.blocks) for dense in range(_DENSE_BLOCKS)]


_OLDER_NAMES = tuple(
    (re.compile(pattern), current)
    for pattern, current in (
        # ESRGAN, 2018, from layers numbered by nn.Sequential
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(.+)", r"body.\1.rdb\2.conv\3.\4"),
        (r"model\.1\.sub\.\d+\.(weight|bias)", r"conv_body.\1"),
        (r"model\.0\.(.+)", r"conv_first.\1"),
        (r"model\.3\.(.+)", r"conv_up1.\1"),
        (r"model\.6\.(.+)", r"conv_up2.\1"),
        (r"model\.8\.(.+)", r"conv_hr.\1"),
        (r"model\.10\.(.+)", r"conv_last.\1"),
        # ESRGAN, 2019
        (r"RRDB_trunk\.(\d+)\.RDB(\d)\.(.+)", r"body.\1.rdb\2.\3"),
        (r"trunk_conv\.(.+)", r"conv_body.\1"),
        (r"upconv([12])\.(.+)", r"conv_up\1.\2"),
        (r"HRconv\.(.+)", r"conv_hr.\1"),
    )
)


def _current_names(state: State) -> State:
    """The tensors under the names Real-ESRGAN gives them today."""
    return {_current_name(key): value for key, value in state.items()}


def _current_name(key: str) -> str:
    for pattern, current in _OLDER_NAMES:
        if match := pattern.fullmatch(key):
            return match.expand(current)
    return key


def _conv(graph: GraphBuilder, state: State, key: str, x: str) -> str:
    return graph.conv(x, state[f"{key}.weight"], state[f"{key}.bias"], pads=(1, 1, 1, 1))


def _activated_conv(graph: GraphBuilder, state: State, key: str, x: str) -> str:
    return graph.add("LeakyRelu", _conv(graph, state, key, x), alpha=_SLOPE)


def _srvgg(graph: GraphBuilder, state: State, net: Srvgg) -> str:
    x = INPUT
    for index in range(net.convs - 1):
        slopes = state[f"body.{2 * index + 1}.weight"].reshape(-1, 1, 1)
        x = graph.add("PRelu", _conv(graph, state, f"body.{2 * index}", x), graph.constant(slopes))
    x = graph.pixel_shuffle(_conv(graph, state, f"body.{2 * net.convs - 2}", x), net.scale)
    return graph.add("Add", x, graph.nearest(INPUT, net.scale))


def _rrdb(graph: GraphBuilder, state: State, net: Rrdb) -> str:
    shallow = x = _first_conv(graph, state)
    for block in range(net.blocks):
        inner = x
        for dense in range(_DENSE_BLOCKS):
            inner = _dense_block(graph, state, f"body.{block}.rdb{dense + 1}", inner)
        x = graph.add("Add", graph.scaled(inner, _RESIDUAL), x)
    x = graph.add("Add", shallow, _conv(graph, state, "conv_body", x))
    for key in ("conv_up1", "conv_up2"):
        x = _activated_conv(graph, state, key, graph.nearest(x, 2))
    return _conv(graph, state, "conv_last", _activated_conv(graph, state, "conv_hr", x))


def _first_conv(graph: GraphBuilder, state: State) -> str:
    """PyTorch folds pixels into channels colour by colour, ONNX position by position: the weights are put in order."""
    weight = state["conv_first.weight"]
    factor = _UNSHUFFLE[weight.shape[1]]
    if factor == 1:
        return _conv(graph, state, "conv_first", INPUT)
    ordered = weight.reshape(len(weight), 3, factor**2, 3, 3).swapaxes(1, 2).reshape(weight.shape)
    folded = graph.add("SpaceToDepth", INPUT, blocksize=factor)
    return graph.conv(folded, ordered, state["conv_first.bias"], pads=(1, 1, 1, 1))


def _dense_block(graph: GraphBuilder, state: State, prefix: str, x: str) -> str:
    """Every convolution reads the input and all results before it."""
    known = [x]
    for index in range(1, _DENSE_CONVS):
        given = graph.add("Concat", *known, axis=1) if len(known) > 1 else x
        known.append(_activated_conv(graph, state, f"{prefix}.conv{index}", given))
    result = _conv(graph, state, f"{prefix}.conv{_DENSE_CONVS}", graph.add("Concat", *known, axis=1))
    return graph.add("Add", graph.scaled(result, _RESIDUAL), x)
