"""CUNet as a graph, from the tensors of its PyTorch form (nagadomi's nunif): two U-Nets in a row.

waifu2x's keeps size or doubles it; Real-CUGAN's enlarge further (`cugan_import`).
"""

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
_PLAIN = {"unet1.conv3": (64, 64), "unet2.conv5": (64, 64)}
_ENDS = {4: (2, 3), 5: (3, 2)}  # kernel of the first U-Net's transposed end: its stride, and padding


def end_kernel(state: State) -> int:
    """Of the convolution that the first U-Net ends with: 3 keeps size, 4 doubles it, 5 triples it; 0 without one."""
    weight = state.get("unet1.conv_bottom.weight")
    return int(weight.shape[-1]) if weight is not None and weight.ndim else 0


def cunet_shapes(kernel: int, between: int = 3) -> Shapes:
    """What its tensors must be, by the first U-Net's `end_kernel` and the channels `between` the two."""
    end = (between, 64, 3, 3) if kernel not in _ENDS else (64, between, kernel, kernel)
    shapes: Shapes = {"unet1.conv_bottom.weight": end, "unet1.conv_bottom.bias": (between,)}
    for key, (read, middle, made, squeezes) in _BLOCKS.items():
        given = between if key == "unet2.conv1" else read
        shapes |= conv_shapes(f"{key}.conv.0", middle, given, 3) | conv_shapes(f"{key}.conv.2", made, middle, 3)
        if squeezes:
            narrow = made // _REDUCTION
            shapes |= conv_shapes(f"{key}.seblock.conv1", narrow, made, 1)
            shapes |= conv_shapes(f"{key}.seblock.conv2", made, narrow, 1)
    for key, width in (_HALVING | _DOUBLING).items():
        shapes |= conv_shapes(key, width, width, 2)
    for key, (made, read) in (_PLAIN | {"unet2.conv_bottom": (between, 64)}).items():
        shapes |= conv_shapes(key, made, read, 3)
    return shapes


def conv_shapes(key: str, made: int, read: int, kernel: int) -> Shapes:
    """A convolution's weight and bias."""
    return {f"{key}.weight": (made, read, kernel, kernel), f"{key}.bias": (made,)}


def build_cunet(graph: GraphBuilder, state: State, x: str) -> str:
    """The second U-Net mends what the first one made.

    Node by node in the order of the published ncnn files, so that equal weights give equal bytes either way.
    """
    net = _Cunet(graph, state)
    return net.mended(net.first(x))


class _Cunet:
    def __init__(self, graph: GraphBuilder, state: State) -> None:
        self._graph = graph
        self._state = state

    def first(self, x: str) -> str:
        """The first U-Net, one level deep."""
        wide = self._block("unet1.conv1", x)
        deep = self._block("unet1.conv2", self._halved("unet1.conv1_down", wide))
        made = self._activated("unet1.conv3", self._joined(wide, 4, "unet1.conv2_up", deep))
        if (end := end_kernel(self._state)) not in _ENDS:
            return self._convolved("unet1.conv_bottom", made)
        stride, pad = _ENDS[end]
        return self._transposed("unet1.conv_bottom", made, stride=stride, pad=pad)

    def mended(self, x: str) -> str:
        """The second U-Net, two levels deep, added to what it reads."""
        wide = self._block("unet2.conv1", x)
        middle = self._block("unet2.conv2", self._halved("unet2.conv1_down", wide))
        deep = self._block("unet2.conv3", self._halved("unet2.conv2_down", middle))
        deep = self._block("unet2.conv4", self._joined(middle, 4, "unet2.conv3_up", deep))
        joined = self._joined(wide, 16, "unet2.conv4_up", deep)
        around = self._graph.crop(x, 20, 20)
        made = self._convolved("unet2.conv_bottom", self._activated("unet2.conv5", joined))
        return self._graph.add("Add", made, around)

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

    def _transposed(self, key: str, x: str, *, stride: int, pad: int, activated: bool = False) -> str:
        weight = np.ascontiguousarray(self._state[f"{key}.weight"].swapaxes(0, 1))
        activate = self._leaky if activated else lambda y: y
        return self._graph.transposed_conv(
            x, weight, self._state[f"{key}.bias"], stride=stride, pad=pad, activate=activate
        )

    def _leaky(self, x: str) -> str:
        return self._graph.add("LeakyRelu", x, alpha=_SLOPE)

    def _joined(self, shallow: str, lost: int, key: str, deep: str) -> str:
        """A level's own features and the deeper level's at twice its size."""
        around = self._graph.crop(shallow, lost, lost)
        return self._graph.add("Add", around, self._transposed(key, deep, stride=2, pad=0, activated=True))
