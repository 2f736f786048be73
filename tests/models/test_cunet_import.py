"""CUNet from PyTorch's names: what its authors' weights give in ncnn, and what a PyTorch module gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import Plane, psnr, run_ncnn, run_openvino, textured
from waifu2x_networks import State, random_tensor

from checkpoint_files import write_checkpoint
from enlarger.errors import WeightsRefusedError
from enlarger.models import add_model, load_catalog, locate
from enlarger.models.cunet_import import cunet_shapes
from enlarger.models.ncnn_format import WeightReader, parse_param
from enlarger.models.pytorch_import import import_pytorch
from enlarger.settings import Settings
from loud_skips import missing

PROMISED_DB = 60.0
UP, SAME = {"unet1.conv_bottom.weight": np.zeros((64, 3, 4, 4), np.float32)}, {}


def random_state(form: State) -> State:
    rng = np.random.default_rng(9)
    shapes = cunet_shapes(form)
    return {
        key: random_tensor(rng, *shape) if len(shape) > 1 else random_tensor(rng, shape[0], 400)[:, 0]
        for key, shape in shapes.items()
    }


def run_torch(state: State, picture: Plane) -> Plane:
    """CUNet and UpCUNet, after nagadomi's description."""
    import torch
    from torch.nn import functional

    tensors: Mapping[str, Any] = {key: torch.from_numpy(values) for key, values in state.items()}

    def conv(key: str, x: Any, stride: int = 1) -> Any:
        return functional.conv2d(x, tensors[f"{key}.weight"], tensors[f"{key}.bias"], stride=stride)

    def up(key: str, x: Any, padding: int = 0) -> Any:
        return functional.conv_transpose2d(x, tensors[f"{key}.weight"], tensors[f"{key}.bias"], 2, padding)

    def lrelu(x: Any) -> Any:
        return functional.leaky_relu(x, 0.1)

    def block(key: str, x: Any) -> Any:
        x = lrelu(conv(f"{key}.conv.2", lrelu(conv(f"{key}.conv.0", x))))
        if f"{key}.seblock.conv1.weight" not in tensors:
            return x
        gate = functional.relu(conv(f"{key}.seblock.conv1", x.mean(dim=(2, 3), keepdim=True)))
        return x * conv(f"{key}.seblock.conv2", gate).sigmoid()

    def crop(x: Any, lost: int) -> Any:
        return functional.pad(x, (-lost,) * 4)

    def first(x: Any) -> Any:
        x1 = block("unet1.conv1", x)
        x2 = lrelu(up("unet1.conv2_up", block("unet1.conv2", lrelu(conv("unet1.conv1_down", x1, 2)))))
        x3 = lrelu(conv("unet1.conv3", crop(x1, 4) + x2))
        if tensors["unet1.conv_bottom.weight"].shape[-1] == 4:
            return up("unet1.conv_bottom", x3, 3)
        return conv("unet1.conv_bottom", x3)

    def second(x: Any) -> Any:
        x1 = block("unet2.conv1", x)
        x2 = block("unet2.conv2", lrelu(conv("unet2.conv1_down", x1, 2)))
        x3 = lrelu(up("unet2.conv3_up", block("unet2.conv3", lrelu(conv("unet2.conv2_down", x2, 2)))))
        x4 = lrelu(up("unet2.conv4_up", block("unet2.conv4", crop(x2, 4) + x3)))
        return conv("unet2.conv_bottom", lrelu(conv("unet2.conv5", crop(x1, 16) + x4)))

    with torch.inference_mode():
        made = first(torch.from_numpy(picture)[None])
        result: Plane = (second(made) + crop(made, 20))[0].numpy()
    return result


@pytest.mark.oracle
@pytest.mark.parametrize(("form", "scale", "border"), [(UP, 2, 18), (SAME, 1, 28)], ids=["up", "same"])
def test_random_weights_give_what_pytorch_gives(form: State, scale: int, border: int) -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("PyTorch")
    state, picture = random_state(form), textured(64, 72)
    expected = run_torch(state, picture)
    assert expected.shape == (3, (64 - 2 * border) * scale, (72 - 2 * border) * scale)
    assert psnr(run_openvino(import_pytorch(state, name="c"), picture), expected) >= PROMISED_DB


@pytest.mark.weights
@pytest.mark.parametrize("name", ["MODEL_WAIFU2X_CUNET_UP2X", "MODEL_WAIFU2X_CUNET_UP1X_DENOISE0X"])
def test_the_published_weights_under_these_names_give_what_ncnn_gives(settings: Settings, name: str) -> None:
    variant = load_catalog().choose(name).variant
    weights = locate(variant, settings)
    if weights is None:
        missing(str(variant.package))
    state, picture = _from_ncnn(*weights.paths, UP if variant.scale == 2 else SAME), textured(64, 72)
    made = run_openvino(import_pytorch(state, name=name), picture)
    assert psnr(made, run_ncnn(*weights.paths, picture)) >= PROMISED_DB


def _from_ncnn(param: Path, weights: Path, form: State) -> State:
    """The weights of ncnn's layers, in their order, which is the network's."""
    reader = WeightReader(weights.read_bytes(), name=str(weights))
    shapes = cunet_shapes(form)
    unread = [key.removesuffix(".weight") for key in IN_ORDER]
    state: State = {}
    for layer in parse_param(param.read_text(), name=str(param)):
        if layer.type in {"Convolution", "Deconvolution", "InnerProduct"}:
            key, count = unread.pop(0), layer.integer(2 if layer.type == "InnerProduct" else 6)
            shape = shapes[f"{key}.weight"]
            values = reader.tagged(count)
            if layer.type == "Deconvolution":  # there (out, in), here (in, out)
                values = values.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1)
            state[f"{key}.weight"] = np.ascontiguousarray(values.reshape(shape))
            state[f"{key}.bias"] = reader.raw(layer.integer(0))
    reader.finish()
    assert not unread
    return state


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


def test_a_persons_cunet_is_added_as_what_it_is(settings: Settings, tmp_path: Path) -> None:
    (up,) = add_model(write_checkpoint(tmp_path / "up.pth", random_state(UP)), settings).variants
    assert (up.scale, up.border, up.multiple, up.local) == (2, 18, 2, False)
    (same,) = add_model(write_checkpoint(tmp_path / "same.pth", random_state(SAME)), settings).variants
    assert (same.scale, same.border, same.multiple, same.local) == (1, 28, 4, False)


def test_one_that_is_not_quite_it_is_refused_by_what_differs() -> None:
    state = {key: values for key, values in random_state(UP).items() if key != "unet2.conv3.seblock.conv1.bias"}
    with pytest.raises(WeightsRefusedError, match=r"as a CUNet, unet2\.conv3\.seblock\.conv1\.bias should be \(16,\)"):
        import_pytorch(state, name="real-cugan.pth")
