"""The weights of published ncnn files under the names their authors' PyTorch checkpoints have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enlarger.models.ncnn_format import WeightReader, parse_param

State = dict[str, NDArray[np.float32]]


def _block(key: str, *, squeezes: bool) -> list[str]:
    return [f"{key}.conv.0", f"{key}.conv.2", *([f"{key}.seblock.conv1", f"{key}.seblock.conv2"] if squeezes else [])]


IN_ORDER = [
    *_block("unet1.conv1", squeezes=False),
    "unet1.conv1_down",
    *_block("unet1.conv2", squeezes=True),
    *("unet1.conv2_up", "unet1.conv3", "unet1.conv_bottom"),
    *_block("unet2.conv1", squeezes=False),
    "unet2.conv1_down",
    *_block("unet2.conv2", squeezes=True),
    "unet2.conv2_down",
    *_block("unet2.conv3", squeezes=True),
    "unet2.conv3_up",
    *_block("unet2.conv4", squeezes=True),
    *("unet2.conv4_up", "unet2.conv5", "unet2.conv_bottom"),
]


def published_state(param: Path, weights: Path) -> State:
    """By the order of ncnn's layers, which is the network's; shapes are those the layers state."""
    reader = WeightReader(weights.read_bytes(), name=str(weights))
    unread = list(IN_ORDER)
    state: State = {}
    for layer in parse_param(param.read_text(), name=str(param)):
        if layer.type in {"Convolution", "Deconvolution", "InnerProduct"}:
            key = unread.pop(0) if unread else "conv_final"
            made, inner = layer.integer(0), layer.type == "InnerProduct"
            side = 1 if inner else layer.integer(1)
            weight = reader.tagged(layer.integer(2 if inner else 6)).reshape(made, -1, side, side)
            if layer.type == "Deconvolution":  # there (out, in), here (in, out)
                weight = weight.swapaxes(0, 1)
            state[f"{key}.weight"], state[f"{key}.bias"] = np.ascontiguousarray(weight), reader.raw(made)
    reader.finish()
    assert not unread
    return state


def in_pros_range(state: State) -> State:
    """The published Pro files compute the range in their weights; the checkpoints leave it to the program."""

    def reads(key: str) -> State:
        weight = state[f"{key}.weight"] / 0.7
        return {f"{key}.weight": weight, f"{key}.bias": state[f"{key}.bias"] - 0.15 * weight.sum(axis=(1, 2, 3))}

    def makes(key: str, least: float) -> State:
        return {f"{key}.weight": state[f"{key}.weight"] * 0.7, f"{key}.bias": state[f"{key}.bias"] * 0.7 + least}

    changed = reads("unet1.conv1.conv.0") | reads("unet2.conv1.conv.0")
    changed |= makes("unet1.conv_bottom", 0.15) | makes("unet2.conv_bottom", 0)
    return state | {key: values.astype(np.float32) for key, values in changed.items()}
