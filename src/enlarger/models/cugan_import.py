"""Real-CUGAN's networks as graphs, from the tensors of the published .pth: UpCunet2x, 3x and 4x, and Pro's.

bilibili's (https://github.com/bilibili/ailab/tree/main/Real-CUGAN): waifu2x's CUNet, whose first U-Net enlarges by 2 or
3. UpCunet4x enlarges 64 features by 2, folds them out by 2 more, and adds the input enlarged by nearest neighbour.
UpCunet2x is waifu2x's own UpCUNet; no tensor tells whose weights they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from enlarger.models.cunet_import import MARK, build_cunet, conv_shapes, cunet_shapes, end_kernel
from enlarger.models.ncnn_format import Layer
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.models.state_shapes import check_shapes

Array = NDArray[np.float32]
State = Mapping[str, Array]

PRO = "pro"  # what only Pro's checkpoints hold: the number 1, or a tensor where other programs saved them again
_RANGE, _LEAST = 0.7, 0.15  # Pro's networks read and make 0..1 as 0.15..0.85
_SCALES = {4: 2, 5: 3}  # by the kernel that the first U-Net ends with
_BORDERS = {2: 18, 3: 14, 4: 19}
_FEATURES, _FOLD, _POOLINGS = 64, 2, 4
_WEIGHTS_AT = {"Convolution": 6, "Deconvolution": 6, "InnerProduct": 2}  # the parameter that counts a layer's weights


@dataclass(frozen=True)
class Cugan:
    """UpCunet2x, 3x or 4x; `pro` where it computes in Pro's range."""

    scale: int
    pro: bool

    @property
    def title(self) -> str:
        """Its authors' name for it."""
        network = f"UpCunet{self.scale}x"
        if (self.scale, self.pro) == (2, False):
            return f"{network} (Real-CUGAN, waifu2x)"
        return f"Real-CUGAN Pro {network}" if self.pro else f"Real-CUGAN {network}"

    @property
    def border(self) -> int:
        """As the variant's."""
        return _BORDERS[self.scale]

    @property
    def shared_poolings(self) -> int:
        """As the variant's: all its squeeze-and-excitation averages."""
        return _POOLINGS


def recognise_cugan(state: State, *, name: str) -> Cugan | None:
    """The network that has these tensors; None where they are another family's, or of a CUNet that keeps size.

    WeightsRefusedError where one of them is missing or odd.
    """
    kernel, folds = end_kernel(state), "conv_final.weight" in state
    if MARK not in state or not (folds or PRO in state or kernel in _SCALES):
        return None
    network = Cugan(4 if folds else _SCALES.get(kernel, 2), PRO in state)
    check_shapes(_tensors(state), cugan_shapes(network), network.title, name)
    return network


def recognise_layers(layers: Sequence[Layer]) -> tuple[Cugan, bool] | None:
    """(The network that ncnn's layers are, whether it is residual as the variant's); None where they are another's.

    nihui's files: Pro's range is in their weights, and of UpCunet4x the enlarged input is left to the program.
    """
    if any(layer.type == "Convolution" and layer.number(4) for layer in layers):  # padded
        return None
    weighted = [layer for layer in layers if layer.type in _WEIGHTS_AT]
    found = sorted((layer.number(0), layer.number(_WEIGHTS_AT[layer.type])) for layer in weighted)
    for scale in _BORDERS:
        network = Cugan(scale, pro=False)
        if found == _sizes(network):
            return network, scale == 4 and layers[-1].type == "PixelShuffle"
    return None


def _sizes(network: Cugan) -> list[tuple[int, int]]:
    """How many channels each convolution makes, and how many weights it has, ascending."""
    shapes = cugan_shapes(network)
    return sorted(
        (shapes[key.replace("weight", "bias")][0], prod(shape)) for key, shape in shapes.items() if len(shape) == 4
    )


def import_cugan(network: Cugan, state: State) -> bytes:
    """The graph, equal to that of the packaged ncnn files byte by byte where the weights are equal."""
    graph, tensors = GraphBuilder(), _tensors(state)
    if network.pro:
        tensors |= _in_full_range(tensors, network)
    return graph.finish(_folded_out(graph, tensors) if network.scale == 4 else build_cunet(graph, tensors, INPUT))


def _tensors(state: State) -> dict[str, Array]:
    return {key: values for key, values in state.items() if key != PRO}


def cugan_shapes(network: Cugan) -> dict[str, tuple[int, ...]]:
    """What its tensors must be."""
    if network.scale == 4:
        return cunet_shapes(4, _FEATURES) | conv_shapes("conv_final", 3 * _FOLD**2, _FEATURES, 3)
    return cunet_shapes(next(kernel for kernel, scale in _SCALES.items() if scale == network.scale))


def _folded_out(graph: GraphBuilder, state: State) -> str:
    features = build_cunet(graph, state, INPUT)
    folded = graph.conv(features, state["conv_final.weight"], state["conv_final.bias"])
    made = graph.pixel_shuffle(graph.crop(folded, 1, 1), _FOLD)
    around = graph.crop(INPUT, _BORDERS[4], _BORDERS[4])
    return graph.add("Add", made, graph.nearest(around, 4))


def _in_full_range(state: State, network: Cugan) -> State:
    """The tensors at whose ends a picture is read or made, so changed that it is 0..1 there.

    Exact, since no convolution of these networks pads: Pro's range costs nothing, and no graph shows it.
    """
    if network.scale == 4:  # features lie between its U-Nets, and the enlarged input is added in its own range
        return _reading(state, "unet1.conv1.conv.0") | _making(state, "conv_final", least=0)
    reading = _reading(state, "unet1.conv1.conv.0") | _reading(state, "unet2.conv1.conv.0")
    return reading | _making(state, "unet1.conv_bottom", least=_LEAST) | _making(state, "unet2.conv_bottom", least=0)


def _reading(state: State, key: str) -> dict[str, Array]:
    weight, bias = (state[f"{key}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return _single(key, weight * _RANGE, bias + weight.sum(axis=(1, 2, 3)) * _LEAST)


def _making(state: State, key: str, *, least: float) -> dict[str, Array]:
    """least: of the range it made; 0 where its result is added to another that had that offset."""
    weight, bias = (state[f"{key}.{part}"].astype(np.float64) for part in ("weight", "bias"))
    return _single(key, weight / _RANGE, (bias - least) / _RANGE)


def _single(key: str, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> dict[str, Array]:
    return {f"{key}.weight": weight.astype(np.float32), f"{key}.bias": bias.astype(np.float32)}
