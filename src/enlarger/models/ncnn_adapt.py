"""Give every ncnn network one face: input `x`, output `y`, and nothing left to do outside the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from enlarger.messages import msg
from enlarger.models.ncnn_format import Layer
from enlarger.models.onnx_builder import INPUT, OUTPUT
from enlarger.models.refusal import refusal

_RESIDUE = "residue"  # what a residual network makes, before the enlarged input is added
_NEAREST, _ADD = 1, 0


def adapt(layers: tuple[Layer, ...], *, residual: bool, scale: int, border: int, name: str) -> tuple[Layer, ...]:
    """The network with its input blob called "x" and its output blob "y".

    With `residual`, as Real-CUGAN's 4x networks need and as their own program does outside of them, the
    input, cropped by `border` and enlarged by `scale` (nearest neighbour), is added to the output.
    Raises WeightsRefusedError where the network has not exactly one input and one output.
    """
    given, made = _ends(layers, name)
    if not residual:
        return tuple(_renamed(layers, {given: INPUT, made: OUTPUT}))
    first, *rest = _renamed(layers, {given: INPUT, made: _RESIDUE})
    return (first, *_residual(rest, scale, border))


def _ends(layers: tuple[Layer, ...], name: str) -> tuple[str, str]:
    inputs = [layer for layer in layers if layer.type == "Input"]
    last = layers[-1]
    used = {blob for layer in layers for blob in layer.inputs}
    if layers[0:1] != tuple(inputs) or len(inputs[0].outputs) != 1 or len(last.outputs) != 1 or used & {*last.outputs}:
        raise refusal(name, msg("the network has not exactly one input and one output"))
    return inputs[0].outputs[0], last.outputs[0]


def _renamed(layers: tuple[Layer, ...], names: Mapping[str, str]) -> Iterator[Layer]:
    for layer in layers:
        inputs, outputs = ([names.get(blob, blob) for blob in blobs] for blobs in (layer.inputs, layer.outputs))
        yield Layer(layer.type, layer.name, tuple(inputs), tuple(outputs), layer.params)


def _residual(network: list[Layer], scale: int, border: int) -> Iterator[Layer]:
    """ncnn lets one layer read a blob, so the input is split first."""
    branch, inner, enlarged = f"{INPUT}_network", f"{INPUT}_inner", f"{INPUT}_enlarged"
    yield Layer("Split", "residual_split", (INPUT,), (branch, inner), {})
    yield from _renamed(tuple(network), {INPUT: branch})
    if border:
        cropped = f"{INPUT}_cropped"
        yield Layer("Crop", "residual_crop", (inner,), (cropped,), _crop(border))
        inner = cropped
    factor = float(scale)
    yield Layer("Interp", "residual_interp", (inner,), (enlarged,), {0: _NEAREST, 1: factor, 2: factor})
    yield Layer("BinaryOp", "residual_add", (_RESIDUE, enlarged), (OUTPUT,), {0: _ADD})


def _crop(border: int) -> dict[int, tuple[int, ...]]:
    return {9: (border, border), 10: (-border, -border), 11: (-2, -1)}
