"""waifu2x's networks as graphs: nagadomi's VGG7, UpConv7 and CUNet, ResNet10 and UpResNet10 of waifu2x-chainer.

All are valid convolutions with LeakyReLU between them. VGG7 and ResNet10 keep size: they take noise out, or are given
the picture enlarged by nearest neighbour. Networks of one channel read luma and leave the colours alone. A CUNet that
enlarges is Real-CUGAN's network too, and recognised there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models import cunet_import
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.models.refusal import refusal
from enlarger.models.state_shapes import check_shapes

Array = NDArray[np.float32]
State = Mapping[str, Array]

_SLOPE = 0.1  # of every LeakyReLU
_LUMA = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1)
_GREY = np.ones((3, 1, 1, 1), np.float32)
_STRIDE, _PAD, _KERNEL = 2, 3, 4  # of the transposed convolution that UpConv7 and UpResNet10 end with
_WIDTHS: Mapping[tuple[int, ...], str] = {
    (32, 32, 64, 64, 128, 128): "VGG7",
    (16, 32, 64, 128, 128, 256): "UpConv7",  # nagadomi's
    (16, 32, 64, 128, 256, 256): "UpConv7",  # tsurumeso's
}
_BLOCKS, _FEATURES = 5, 64
_BRIDGE_CROP = 11  # what ResNet10's blocks and the convolution after them lose
_NUMBERED = re.compile(r"(.*?)(\d+)\.weight")


@dataclass(frozen=True)
class Layer:
    """A convolution: `weight` (out, in, k, k), or (in, out, k, k) of a transposed one."""

    weight: Array
    bias: Array
    transposed: bool = False


@dataclass(frozen=True)
class Waifu2x:
    """A network and what builds it.

    scale: how much the network itself enlarges. lost: output pixels a side that valid convolutions take.
    channels: 3 for RGB, 1 for luma. local: False where it averages over the tile.
    """

    title: str
    scale: int
    lost: int
    channels: int
    local: bool
    build: Callable[[GraphBuilder, str], str]


def recognise_waifu2x(state: State, *, name: str) -> Waifu2x | None:
    """The network that has these tensors, named as in PyTorch; None where they are another family's.

    WeightsRefusedError where one of them is missing or odd.
    """
    if cunet_import.MARK in state:
        return _recognise_cunet(state, name)
    if "conv_pre.weight" in state:
        return _recognise_resnet(state, name)
    chain = _chain(state)
    return None if chain is None else recognise_chain(chain, name=name)


def recognise_chain(layers: tuple[Layer, ...], *, name: str) -> Waifu2x:
    """VGG7 or UpConv7, by the widths of their layers; WeightsRefusedError for any other chain of convolutions."""
    widths = tuple(_width(layer) for layer in layers)
    title, ends_transposed = _WIDTHS.get(widths[:-1]), layers[-1].transposed
    if title is None or (title == "UpConv7") != ends_transposed or widths[-1] not in (1, 3):
        found = ", ".join(map(str, widths))
        raise refusal(name, msg("no network of waifu2x has layers of {widths} channels", widths=found))
    channels = widths[-1]
    for index, layer in enumerate(layers):
        _check_layer(layer, index, channels if index == 0 else widths[index - 1], name)
    scale = _STRIDE if ends_transposed else 1
    lost = 14 if ends_transposed else 7
    return Waifu2x(title, scale, lost, channels, True, lambda graph, x: _build_chain(graph, layers, x))


def import_waifu2x(network: Waifu2x, *, enlarged: bool) -> bytes:
    """The graph; with `enlarged`, a network that keeps size is given the picture at twice its size."""
    graph = GraphBuilder()
    x = graph.nearest(INPUT, 2) if enlarged else INPUT
    scale = network.scale * (2 if enlarged else 1)
    made = network.build(graph, x) if network.channels == 3 else _on_luma(graph, network, x)
    extra = -network.lost % scale  # a border is counted in whole pixels of the input
    return graph.finish(graph.crop(made, extra, extra))


def _width(layer: Layer) -> int:
    return int(layer.weight.shape[1 if layer.transposed else 0])


def _check_layer(layer: Layer, index: int, read: int, name: str) -> None:
    kernel = _KERNEL if layer.transposed else 3
    made = _width(layer)
    expected = (read, made, kernel, kernel) if layer.transposed else (made, read, kernel, kernel)
    if layer.weight.shape != expected or layer.bias.shape != (made,):
        raise refusal(
            name,
            msg(
                "layer {number} should be {expected} but is {found}",
                number=index + 1,
                expected=expected,
                found=layer.weight.shape,
            ),
        )


def _chain(state: State) -> tuple[Layer, ...] | None:
    """Convolutions that are numbered through (conv1 … conv7, net.0 … net.12), in their order."""
    numbered = {key: match for key in state if (match := _NUMBERED.fullmatch(key))}
    stems = {match[1] for match in numbered.values()}
    biases = {key.replace("weight", "bias") for key in numbered}
    if len(numbered) != 7 or len(stems) != 1 or not state.keys() <= numbered.keys() | biases:
        return None
    ordered = sorted(numbered, key=lambda key: int(numbered[key][2]))
    layers = tuple(_layer(state, key) for key in ordered)
    return layers if all(layer.weight.ndim == 4 for layer in layers) else None


def _layer(state: State, key: str) -> Layer:
    weight = state[key]
    transposed = weight.ndim == 4 and weight.shape[2] == _KERNEL
    made = weight.shape[1 if transposed else 0] if weight.ndim > 1 else 0
    return Layer(weight, state.get(key.replace("weight", "bias"), np.zeros(made, np.float32)), transposed)


def _build_chain(graph: GraphBuilder, layers: tuple[Layer, ...], x: str) -> str:
    for layer in layers[:-1]:
        x = _leaky(graph, graph.conv(x, layer.weight, layer.bias))
    return _last(graph, layers[-1], x)


def _last(graph: GraphBuilder, layer: Layer, x: str) -> str:
    if not layer.transposed:
        return graph.conv(x, layer.weight, layer.bias)
    weight = layer.weight.swapaxes(0, 1)
    return graph.transposed_conv(x, weight, layer.bias, stride=_STRIDE, pad=_PAD, activate=lambda y: y)


def _leaky(graph: GraphBuilder, x: str) -> str:
    return graph.add("LeakyRelu", x, alpha=_SLOPE)


def _on_luma(graph: GraphBuilder, network: Waifu2x, x: str) -> str:
    """Luma through the network, colour differences as they are: what luma gains, red, green and blue gain."""
    luma = graph.conv(x, _LUMA, None)
    around = graph.crop(graph.nearest(luma, network.scale), network.lost, network.lost)
    gained = graph.conv(graph.add("Sub", network.build(graph, luma), around), _GREY, None)
    return graph.add("Add", gained, graph.crop(graph.nearest(x, network.scale), network.lost, network.lost))


def _recognise_resnet(state: State, name: str) -> Waifu2x:
    squeezes = "res1.fc1.weight" in state
    title = "UpResNet10" if squeezes else "ResNet10"
    channels = state["conv_pre.weight"].shape[1] if state["conv_pre.weight"].ndim == 4 else 0
    check_shapes(state, _resnet_shapes(channels, squeezes), title, name)
    scale, lost = (_STRIDE, 26) if squeezes else (1, 13)
    return Waifu2x(title, scale, lost, channels, not squeezes, lambda graph, x: _build_resnet(graph, state, x))


def _recognise_cunet(state: State, name: str) -> Waifu2x:
    check_shapes(state, cunet_import.cunet_shapes(3), "CUNet", name)
    return Waifu2x("CUNet", 1, 28, 3, False, lambda graph, x: cunet_import.build_cunet(graph, state, x))


def _resnet_shapes(channels: int, squeezes: bool) -> dict[str, tuple[int, ...]]:
    same, narrow = (_FEATURES, _FEATURES, 3, 3), _FEATURES // 4
    shapes: dict[str, tuple[int, ...]] = {"conv_pre.weight": (_FEATURES, channels, 3, 3), "conv_bridge.weight": same}
    for block in range(1, _BLOCKS + 1):
        shapes |= dict.fromkeys((f"res{block}.conv1.weight", f"res{block}.conv2.weight"), same)
        if squeezes:
            shapes |= {f"res{block}.fc1.weight": (narrow, _FEATURES), f"res{block}.fc2.weight": (_FEATURES, narrow)}
    biases: dict[str, tuple[int, ...]] = {key.replace("weight", "bias"): shape[:1] for key, shape in shapes.items()}
    if squeezes:  # its transposed convolution has no bias
        return shapes | biases | {"conv_post.weight": (_FEATURES, channels, _KERNEL, _KERNEL)}
    return shapes | biases | {"conv_post.weight": (channels, _FEATURES, 3, 3), "conv_post.bias": (channels,)}


def _build_resnet(graph: GraphBuilder, state: State, x: str) -> str:
    bridge = x = _leaky(graph, _conv(graph, state, "conv_pre", x))
    for block in range(1, _BLOCKS + 1):
        x = _res_block(graph, state, f"res{block}", x)
    x = _leaky(graph, _conv(graph, state, "conv_bridge", x))
    x = graph.add("Add", x, graph.crop(bridge, _BRIDGE_CROP, _BRIDGE_CROP))
    return _last(graph, _layer(state, "conv_post.weight"), x)


def _res_block(graph: GraphBuilder, state: State, key: str, x: str) -> str:
    inner = _leaky(graph, _conv(graph, state, f"{key}.conv1", x))
    inner = _leaky(graph, _conv(graph, state, f"{key}.conv2", inner))
    if f"{key}.fc1.weight" in state:
        averages = graph.add("GlobalAveragePool", inner)
        squeezed = graph.add("Relu", _dense(graph, state, f"{key}.fc1", averages))
        inner = graph.add("Mul", inner, graph.add("Sigmoid", _dense(graph, state, f"{key}.fc2", squeezed)))
    return graph.add("Add", inner, graph.crop(x, 2, 2))


def _conv(graph: GraphBuilder, state: State, key: str, x: str) -> str:
    return graph.conv(x, state[f"{key}.weight"], state[f"{key}.bias"])


def _dense(graph: GraphBuilder, state: State, key: str, x: str) -> str:
    """A linear layer over (1, C, 1, 1): a 1x1 convolution keeps it so."""
    return graph.conv(x, state[f"{key}.weight"][:, :, None, None], state[f"{key}.bias"])
