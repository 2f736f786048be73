"""waifu2x's CUNet from PyTorch's names: what its authors' weights give in ncnn, and what a PyTorch module gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import psnr, run_ncnn, run_openvino, textured
from published_cunets import State, published_state
from waifu2x_networks import random_tensor

from checkpoint_files import write_checkpoint
from enlarger.errors import WeightsRefusedError
from enlarger.models import add_model, load_catalog, locate
from enlarger.models.cunet_import import cunet_shapes
from enlarger.models.pytorch_import import import_pytorch
from enlarger.settings import Settings
from loud_skips import missing

PROMISED_DB = 60.0


def random_state() -> State:
    rng = np.random.default_rng(9)
    return {
        key: random_tensor(rng, *shape) if len(shape) > 1 else random_tensor(rng, shape[0], 400)[:, 0]
        for key, shape in cunet_shapes(kernel=3).items()
    }


@pytest.mark.oracle
def test_random_weights_give_what_pytorch_gives() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("PyTorch")
    from cunet_modules import random_cunet, run_module

    net, picture = random_cunet(1), textured(64, 72)
    expected = run_module(net, picture)
    assert expected.shape == (3, 8, 16)
    state = {key: values.numpy() for key, values in net.state_dict().items()}
    assert psnr(run_openvino(import_pytorch(state, name="c"), picture), expected) >= PROMISED_DB


@pytest.mark.weights
@pytest.mark.parametrize("name", ["MODEL_WAIFU2X_CUNET_UP2X", "MODEL_WAIFU2X_CUNET_UP1X_DENOISE0X"])
def test_the_published_weights_under_these_names_give_what_ncnn_gives(settings: Settings, name: str) -> None:
    variant = load_catalog().choose(name).variant
    weights = locate(variant, settings)
    if weights is None:
        missing(str(variant.package))
    made, picture = import_pytorch(published_state(*weights.paths), name=name), textured(64, 72)
    assert psnr(run_openvino(made, picture), run_ncnn(*weights.paths, picture)) >= PROMISED_DB


def test_a_persons_cunet_is_added_as_what_it_is(settings: Settings, tmp_path: Path) -> None:
    (same,) = add_model(write_checkpoint(tmp_path / "same.pth", random_state()), settings).variants
    assert (same.scale, same.border, same.multiple, same.local) == (1, 28, 4, False)


def test_one_that_is_not_quite_it_is_refused_by_what_differs() -> None:
    state = {key: values for key, values in random_state().items() if key != "unet2.conv3.seblock.conv1.bias"}
    with pytest.raises(WeightsRefusedError, match=r"as a CUNet it lacks unet2\.conv3\.seblock\.conv1\.bias"):
        import_pytorch(state, name="cunet.pth")
