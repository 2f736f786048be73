"""PyTorch networks come out of the graph as PyTorch computes them; others are refused by what is odd about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import Plane, psnr, run_onnxruntime, run_openvino, textured
from numpy.typing import NDArray

from checkpoint_files import small_srvgg
from enlarger.errors import WeightsRefusedError
from enlarger.models.checkpoint import read_checkpoint
from enlarger.models.pytorch_import import Rrdb, Srvgg, import_pytorch, recognise
from loud_skips import missing

PROMISED_DB = 60.0
State = dict[str, NDArray[np.float32]]


def small_rrdb(inputs: int = 3, features: int = 8, growth: int = 4, blocks: int = 2) -> State:
    """RRDBNet's state dict under today's names, with random weights."""
    rng = np.random.default_rng(5)
    convs = {"conv_first": (inputs, features), "conv_last": (features, 3)}
    convs |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (features, features))
    for block in range(blocks):
        for dense in (1, 2, 3):
            for index in range(5):
                made = growth if index < 4 else features
                convs[f"body.{block}.rdb{dense}.conv{index + 1}"] = (features + index * growth, made)
    state: State = {}
    for key, (read, made) in convs.items():
        state[f"{key}.weight"] = rng.normal(0, 1.2 / (3 * read**0.5), (made, read, 3, 3)).astype(np.float32)
        state[f"{key}.bias"] = rng.normal(0, 0.05, made).astype(np.float32)
    return state


def names_of_2018(key: str) -> str:
    fixed = {"conv_first": "model.0", "conv_body": "model.1.sub.2", "conv_up1": "model.3", "conv_up2": "model.6"}
    fixed |= {"conv_hr": "model.8", "conv_last": "model.10"}
    stem, _, kind = key.rpartition(".")
    if stem in fixed:
        return f"{fixed[stem]}.{kind}"
    _, block, dense, conv = stem.split(".")
    return f"model.1.sub.{block}.{dense.upper()}.{conv}.0.{kind}"


def names_of_2019(key: str) -> str:
    for current, older in (("conv_body", "trunk_conv"), ("conv_up", "upconv"), ("conv_hr", "HRconv"), ("rdb", "RDB")):
        key = key.replace(current, older)
    return key.replace("body.", "RRDB_trunk.")


def torch_srvgg(state: State, scale: int) -> Callable[[Any], Any]:
    """SRVGGNetCompact after its authors' description."""
    import torch
    from torch.nn import functional

    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    last = max(int(key.split(".")[1]) for key in state)

    def forward(x: Any) -> Any:
        y = x
        for index in range(0, last, 2):
            y = functional.conv2d(y, tensors[f"body.{index}.weight"], tensors[f"body.{index}.bias"], padding=1)
            y = functional.prelu(y, tensors[f"body.{index + 1}.weight"])
        y = functional.conv2d(y, tensors[f"body.{last}.weight"], tensors[f"body.{last}.bias"], padding=1)
        return functional.pixel_shuffle(y, scale) + functional.interpolate(x, scale_factor=scale, mode="nearest")

    return forward


def torch_rrdb(state: State) -> Callable[[Any], Any]:
    """RRDBNet after its authors' description; 2x and 1x fold the input first."""
    import torch
    from torch.nn import functional

    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    blocks = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("body."))
    fold = {3: 1, 12: 2, 48: 4}[state["conv_first.weight"].shape[1]]

    def conv(key: str, x: Any) -> Any:
        return functional.conv2d(x, tensors[f"{key}.weight"], tensors[f"{key}.bias"], padding=1)

    def lrelu(x: Any) -> Any:
        return functional.leaky_relu(x, 0.2)

    def dense(prefix: str, x: Any) -> Any:
        known = [x]
        for index in range(1, 5):
            known.append(lrelu(conv(f"{prefix}.conv{index}", torch.cat(known, 1))))
        return conv(f"{prefix}.conv5", torch.cat(known, 1)) * 0.2 + x

    def block(index: int, x: Any) -> Any:
        y = x
        for number in (1, 2, 3):
            y = dense(f"body.{index}.rdb{number}", y)
        return y * 0.2 + x

    def forward(x: Any) -> Any:
        first = y = conv("conv_first", functional.pixel_unshuffle(x, fold) if fold > 1 else x)
        for index in range(blocks):
            y = block(index, y)
        y = first + conv("conv_body", y)
        for key in ("conv_up1", "conv_up2"):
            y = lrelu(conv(key, functional.interpolate(y, scale_factor=2, mode="nearest")))
        return conv("conv_last", lrelu(conv("conv_hr", y)))

    return forward


def run_torch(forward: Callable[[Any], Any], plane: Plane) -> Plane:
    import torch

    with torch.inference_mode():
        result: Plane = forward(torch.from_numpy(plane)[None])[0].numpy()
    return result


def check(state: State, expected: Plane, picture: Plane, name: str = "w.pth") -> None:
    onnx = import_pytorch(state, name=name)
    assert psnr(run_openvino(onnx, picture), expected) >= PROMISED_DB
    assert psnr(run_onnxruntime(onnx, picture), expected) >= PROMISED_DB


@pytest.fixture(scope="module")
def pytorch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("PyTorch")


@pytest.mark.oracle
@pytest.mark.usefixtures("pytorch")
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("convs", [1, 4])
def test_srvgg_is_equal_to_pytorch(scale: int, convs: int) -> None:
    state, picture = small_srvgg(scale, convs=convs), textured(19, 23)
    assert recognise(state, name="w.pth") == Srvgg(scale, features=8, convs=convs + 2)
    check(state, run_torch(torch_srvgg(state, scale), picture), picture)


@pytest.mark.oracle
@pytest.mark.usefixtures("pytorch")
@pytest.mark.parametrize(("inputs", "scale"), [(3, 4), (12, 2), (48, 1)])
def test_rrdb_is_equal_to_pytorch(inputs: int, scale: int) -> None:
    state, picture = small_rrdb(inputs), textured(16, 20)
    assert recognise(state, name="w.pth") == Rrdb(scale, features=8, growth=4, blocks=2)
    expected = run_torch(torch_rrdb(state), picture)
    assert expected.shape == (3, 16 * scale, 20 * scale)
    check(state, expected, picture)


@pytest.mark.oracle
@pytest.mark.shared
@pytest.mark.usefixtures("pytorch")
def test_the_published_video_network_is_equal_to_pytorch(shared: Path) -> None:
    path = shared / "weights" / "realesrgan" / "realesr-animevideov3.pth"
    state, picture = read_checkpoint(path), textured(37, 41)
    assert recognise(state, name=str(path)) == Srvgg(4, features=64, convs=18)
    check(state, run_torch(torch_srvgg(state, 4), picture), picture, str(path))


@pytest.mark.parametrize("older", [names_of_2018, names_of_2019])
def test_older_names_give_the_same_graph(older: Callable[[str], str]) -> None:
    state = small_rrdb()
    renamed = {older(key): value for key, value in state.items()}
    assert renamed.keys() != state.keys()
    assert import_pytorch(renamed, name="old.pth") == import_pytorch(state, name="new.pth")


def test_a_graph_s_bytes_do_not_depend_on_the_order_of_the_tensors() -> None:
    state = small_srvgg()
    assert import_pytorch(dict(reversed(state.items())), name="a") == import_pytorch(state, name="b")


def without(state: State, key: str) -> State:
    return {name: value for name, value in state.items() if name != key}


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({"layers.0.weight": np.zeros((3, 3), np.float32)}, "layers.0.weight"),
        (without(small_rrdb(), "conv_hr.bias"), "conv_hr.bias"),
        (without(small_rrdb(), "body.1.rdb2.conv3.weight"), "body.1.rdb2.conv3.weight"),
        (small_rrdb() | {"conv_up3.weight": np.zeros((8, 8, 3, 3), np.float32)}, "conv_up3.weight"),
        (small_rrdb(inputs=5), "RRDBNet"),
        (small_rrdb() | {"conv_last.weight": np.zeros((4, 8, 3, 3), np.float32)}, "(4, 8, 3, 3)"),
        (small_srvgg() | {"extra": np.zeros(3, np.float32)}, "extra"),
        (without(small_srvgg(), "body.1.weight"), "body.1.weight"),
        (small_srvgg() | {"body.0.weight": np.zeros((), np.float32)}, "body.0.weight"),
        (small_srvgg() | {"body.6.bias": np.zeros((), np.float32)}, "body.6"),
        ({"body.0.weight": np.zeros((8, 3, 3, 3), np.float32)}, "SRVGGNetCompact"),
    ],
)
def test_what_is_not_recognised_is_refused_by_name(state: State, named: str) -> None:
    with pytest.raises(WeightsRefusedError) as caught:
        import_pytorch(state, name="some/file.pth")
    assert "some/file.pth" in caught.value.text("en")
    assert named in caught.value.text("en")
