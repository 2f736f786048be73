"""waifu2x's networks in PyTorch, after the description of waifu2x-chainer, and weights to give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from networks import Plane
from numpy.typing import NDArray

State = dict[str, NDArray[np.float32]]

VGG7 = (32, 32, 64, 64, 128, 128)
UPCONV7 = (16, 32, 64, 128, 256, 256)
NAGADOMIS_UPCONV7 = (16, 32, 64, 128, 128, 256)


def random_tensor(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Weights that keep the size of what they are given."""
    reads = int(np.prod(shape[1:])) or 1
    return (rng.normal(0, 1, shape) * (1.4 / reads**0.5)).astype(np.float32)


def chain_state(widths: tuple[int, ...], *, up: bool = False, channels: int = 3, seed: int = 7) -> State:
    """VGG7's or UpConv7's tensors, random, under the names of waifu2x-chainer."""
    rng = np.random.default_rng(seed)
    state: State = {}
    for number, (read, made) in enumerate(pairwise((channels, *widths)), 1):
        state[f"conv{number}.weight"] = random_tensor(rng, made, read, 3, 3)
        state[f"conv{number}.bias"] = random_tensor(rng, made, 400)[:, 0]
    last = (widths[-1], channels, 4, 4) if up else (channels, widths[-1], 3, 3)
    state["conv7.weight"] = random_tensor(rng, *last)
    if not up:
        state["conv7.bias"] = random_tensor(rng, channels, 400)[:, 0]
    return state


def resnet_state(*, up: bool = False, channels: int = 3, seed: int = 8) -> State:
    """ResNet10's or UpResNet10's tensors, random."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {"conv_pre": (64, channels, 3, 3), "conv_bridge": (64, 64, 3, 3)}
    shapes["conv_post"] = (64, channels, 4, 4) if up else (channels, 64, 3, 3)
    for block in range(1, 6):
        shapes |= {f"res{block}.conv1": (64, 64, 3, 3), f"res{block}.conv2": (64, 64, 3, 3)}
        shapes |= {f"res{block}.fc1": (16, 64), f"res{block}.fc2": (64, 16)} if up else {}
    state: State = {}
    for key, shape in shapes.items():
        state[f"{key}.weight"] = random_tensor(rng, *shape)
        if key != "conv_post" or not up:
            state[f"{key}.bias"] = random_tensor(rng, shape[0], 400)[:, 0]
    return state


def torch_chain(state: Mapping[str, Any], x: Any) -> Any:
    """VGG7 and UpConv7."""
    from torch.nn import functional

    for number in range(1, 7):
        x = functional.conv2d(x, state[f"conv{number}.weight"], state[f"conv{number}.bias"])
        x = functional.leaky_relu(x, 0.1)
    return torch_last(state, "conv7", x)


def torch_resnet(state: Mapping[str, Any], x: Any) -> Any:
    """ResNet10 and UpResNet10."""
    from torch.nn import functional

    def conv(key: str, y: Any) -> Any:
        return functional.conv2d(y, state[f"{key}.weight"], state[f"{key}.bias"])

    def lrelu(y: Any) -> Any:
        return functional.leaky_relu(y, 0.1)

    x = bridge = lrelu(conv("conv_pre", x))
    for block in range(1, 6):
        key = f"res{block}"
        inner = lrelu(conv(f"{key}.conv2", lrelu(conv(f"{key}.conv1", x))))
        if f"{key}.fc1.weight" in state:
            dense = partial(_dense, state)
            squeezed = functional.relu(dense(f"{key}.fc1", inner.mean(dim=(2, 3))))
            inner = inner * dense(f"{key}.fc2", squeezed).sigmoid()[:, :, None, None]
        x = inner + x[:, :, 2:-2, 2:-2]
    x = lrelu(conv("conv_bridge", x)) + bridge[:, :, 11:-11, 11:-11]
    return torch_last(state, "conv_post", x)


def torch_last(state: Mapping[str, Any], key: str, x: Any) -> Any:
    """A convolution with a bias, or the transposed one without that doubles the size."""
    from torch.nn import functional

    weight = state[f"{key}.weight"]
    if weight.shape[-1] == 4:
        return functional.conv_transpose2d(x, weight, stride=2, padding=3)
    return functional.conv2d(x, weight, state[f"{key}.bias"])


def _dense(state: Mapping[str, Any], key: str, x: Any) -> Any:
    from torch.nn import functional

    return functional.linear(x, state[f"{key}.weight"], state[f"{key}.bias"])


def run_waifu2x(state: State, picture: Plane, *, enlarged: bool = False) -> Plane:
    """What waifu2x-chainer makes of the picture: of its luma, for networks of one channel."""
    import torch

    tensors = {key: torch.from_numpy(values) for key, values in state.items()}
    network: Callable[[Any, Any], Any] = torch_resnet if "conv_pre.weight" in state else torch_chain
    first = state.get("conv_pre.weight", state.get("conv1.weight"))
    assert first is not None
    given = np.repeat(np.repeat(picture, 2, axis=1), 2, axis=2) if enlarged else picture
    with torch.inference_mode():
        if first.shape[1] == 3:
            return _array(network(tensors, torch.from_numpy(given)[None]))
        luma = np.tensordot(np.array([0.299, 0.587, 0.114]), given, axes=1).astype(np.float32)[None]
        made = _array(network(tensors, torch.from_numpy(luma)[None]))
    return _coloured(made, given, luma, 2 if _doubles(state) else 1)


def _array(batch: Any) -> Plane:
    result: Plane = batch[0].numpy()
    return result


def _doubles(state: State) -> bool:
    return any(values.shape[-1] == 4 for values in state.values() if values.ndim == 4)


def _coloured(made: Plane, given: Plane, luma: Plane, factor: int) -> Plane:
    """Colour differences from Y'CbCr as JPEG has it, around the luma the network made."""
    colours = np.repeat(np.repeat(given - luma, factor, axis=1), factor, axis=2)
    lost = (colours.shape[1] - made.shape[1]) // 2
    kept = colours[:, lost : colours.shape[1] - lost, lost : colours.shape[2] - lost]
    red, blue = kept[0] / 1.402, kept[2] / 1.772
    return np.stack([made[0] + 1.402 * red, made[0] - 0.714136 * red - 0.344136 * blue, made[0] + 1.772 * blue]).astype(
        np.float32
    )


def write_npz(path: Path, state: Mapping[str, NDArray[Any]]) -> Path:
    """As Chainer's serializer writes them: links as folders, W and b."""
    links = {
        key.replace(".weight", "/W").replace(".bias", "/b").replace(".", "/"): value for key, value in state.items()
    }
    np.savez_compressed(path, **links)
    return path
