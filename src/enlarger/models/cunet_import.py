"""waifu2x's CUNet as a graph, from the tensors of its PyTorch form (nagadomi's nunif): two U-Nets in a row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from enlarger.models.onnx_builder import GraphBuilder

State = Mapping[str, NDArray[np.float32]]
Shapes = dict[str, tuple[int, ...]]

MARK = "unet1.conv1.conv.0.weight"  # of its tensors only
_SLOPE, _REDUCTION = 0.1, 8
_BLOCKS = {
    # widths of the two convolutions of each block, and whether squeeze and excitation follows
    "unet1.conv1": (3, 32, 64, False),
    "unet1.conv2": (64, 128, 64, True),
    "unet2.conv1": (3, 32, 64, False),
    "unet2.conv2": (64, 64, 128, True),
    "unet2.conv3": (128, 256, 128, True),
    "unet2.conv4": (128, 64, 64, True),
}
_HALVING = {"unet1.conv1_down": 64, "unet2.conv1_down": 64, "unet2.conv2_down": 128}
_DOUBLING = {"unet1.conv2_up": 64, "unet2.conv3_up": 128, "unet2.conv4_up": 64}
_PLAIN = {"unet1.conv3": (64, 64), "unet2.conv5": (64, 64), "unet2.conv_bottom": (3, 64)}


def enlarges(state: State) -> bool:
    """Whether the first U-Net ends with the transposed convolution that doubles the size."""
    return state["unet1.conv_bottom.weight"].shape[-1:] == (4,) if "unet1.conv_bottom.weight" in state else False


def cunet_shapes(state: State) -> Shapes:
    """What its tensors must be: the 2x network's, or that of the one that keeps size."""
    bottom = (64, 3, 4, 4) if enlarges(state) else (3, 64, 3, 3)
    shapes: Shapes = {"unet1.conv_bottom.weight": bottom, "unet1.conv_bottom.bias": (3,)}
    for key, (read, middle, made, squeezes) in _BLOCKS.items():
        shapes |= _conv(f"{key}.conv.0", middle, read, 3) | _conv(f"{key}.conv.2", made, middle, 3)
        if squeezes:
            narrow = made // _REDUCTION
            shapes |= _conv(f"{key}.seblock.conv1", narrow, made, 1) | _conv(f"{key}.seblock.conv2", made, narrow, 1)
    for key, width in (_HALVING | _DOUBLING).items():
        shapes |= _conv(key, width, width, 2)
    for key, (made, read) in _PLAIN.items():
        shapes |= _conv(key, made, read, 3)
    return shapes


def _conv(key: str, made: int, read: int, kernel: int) -> Shapes:
    return {f"{key}.weight": (made, read, kernel, kernel), f"{key}.bias": (made,)}


def build_cunet(graph: GraphBuilder, state: State, x: str) -> str:
    """The second U-Net mends what the first one made."""
    net = _Cunet(graph, state)
    first = net.small(x)
    return graph.add("Add", net.large(first), graph.crop(first, 20, 20))


class _Cunet:
    def __init__(self, graph: GraphBuilder, state: State) -> None:
        self._graph = graph
        self._state = state

    def small(self, x: str) -> str:
        """The first U-Net, one level deep."""
        wide = self._block("unet1.conv1", x)
        deep = self._block("unet1.conv2", self._halved("unet1.conv1_down", wide))
        joined = self._joined(wide, 4, self._doubled("unet1.conv2_up", deep))
        made = self._activated("unet1.conv3", joined)
        if enlarges(self._state):
            return self._transposed("unet1.conv_bottom", made, pad=3)
        return self._convolved("unet1.conv_bottom", made)

    def large(self, x: str) -> str:
        """The second U-Net, two levels deep."""
        wide = self._block("unet2.conv1", x)
        middle = self._block("unet2.conv2", self._halved("unet2.conv1_down", wide))
        deep = self._block("unet2.conv3", self._halved("unet2.conv2_down", middle))
        middle = self._joined(middle, 4, self._doubled("unet2.conv3_up", deep))
        wide = self._joined(wide, 16, self._doubled("unet2.conv4_up", self._block("unet2.conv4", middle)))
        return self._convolved("unet2.conv_bottom", self._activated("unet2.conv5", wide))

    def _block(self, key: str, x: str) -> str:
        x = self._activated(f"{key}.conv.2", self._activated(f"{key}.conv.0", x))
        if f"{key}.seblock.conv1.weight" not in self._state:
            return x
        averages = self._graph.add("GlobalAveragePool", x)
        squeezed = self._graph.add("Relu", self._convolved(f"{key}.seblock.conv1", averages))
        gate = self._graph.add("Sigmoid", self._convolved(f"{key}.seblock.conv2", squeezed))
        return self._graph.add("Mul", x, gate)

    def _convolved(self, key: str, x: str, stride: int = 1) -> str:
        return self._graph.conv(x, self._state[f"{key}.weight"], self._state[f"{key}.bias"], stride=stride)

    def _activated(self, key: str, x: str) -> str:
        return self._leaky(self._convolved(key, x))

    def _halved(self, key: str, x: str) -> str:
        return self._leaky(self._convolved(key, x, stride=2))

    def _doubled(self, key: str, x: str) -> str:
        return self._leaky(self._transposed(key, x, pad=0))

    def _transposed(self, key: str, x: str, *, pad: int) -> str:
        weight = self._state[f"{key}.weight"].swapaxes(0, 1)
        bias = self._state[f"{key}.bias"]
        return self._graph.transposed_conv(x, weight, bias, stride=2, pad=pad, activate=lambda y: y)

    def _leaky(self, x: str) -> str:
        return self._graph.add("LeakyRelu", x, alpha=_SLOPE)

    def _joined(self, shallow: str, lost: int, deep: str) -> str:
        return self._graph.add("Add", self._graph.crop(shallow, lost, lost), deep)
