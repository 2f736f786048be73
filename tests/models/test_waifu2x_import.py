"""waifu2x's networks come out of the graph as PyTorch computes them; others are refused by what is odd about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import Plane, psnr, run_onnxruntime, run_openvino, textured
from waifu2x_networks import NAGADOMIS_UPCONV7, UPCONV7, VGG7, State, chain_state, resnet_state, run_waifu2x

from checkpoint_files import write_checkpoint
from enlarger.errors import WeightsRefusedError
from enlarger.models import Variant, load_catalog, prepare
from enlarger.models.chainer_import import read_npz
from enlarger.models.checkpoint import read_checkpoint
from enlarger.models.pytorch_import import import_pytorch, recognise
from enlarger.models.sources import installed_folder
from enlarger.models.waifu2x_import import Waifu2x
from enlarger.settings import Settings
from loud_skips import missing

PROMISED_DB = 60.0
RANDOM = {
    "VGG7": (chain_state(VGG7), 1, 7),
    "VGG7 luma": (chain_state(VGG7, channels=1), 1, 7),
    "UpConv7": (chain_state(UPCONV7, up=True), 2, 14),
    "UpConv7 nagadomi's": (chain_state(NAGADOMIS_UPCONV7, up=True), 2, 14),
    "UpConv7 luma": (chain_state(UPCONV7, up=True, channels=1), 2, 14),
    "ResNet10": (resnet_state(), 1, 13),
    "ResNet10 luma": (resnet_state(channels=1), 1, 13),
    "UpResNet10": (resnet_state(up=True), 2, 26),
}
CHAINER = [
    variant
    for card in load_catalog().cards
    for variant in card.variants
    if variant.package is not None and variant.package.distribution == "waifu2x"
]
ONE_OF_EACH = [each for each in CHAINER if each.noise is None]


def trimmed(expected: Plane, lost: int, scale: int) -> Plane:
    """A border is whole pixels of the input: what is left over is cut."""
    extra = -lost % scale
    return expected[:, extra : expected.shape[1] - extra, extra : expected.shape[2] - extra]


@pytest.fixture(scope="module")
def pytorch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("PyTorch")


@pytest.mark.oracle
@pytest.mark.usefixtures("pytorch")
@pytest.mark.parametrize(
    ("name", "enlarged"), [(name, False) for name in RANDOM] + [(name, True) for name in RANDOM if RANDOM[name][1] == 1]
)
def test_random_weights_give_what_pytorch_gives(name: str, enlarged: bool) -> None:
    state, scale, lost = RANDOM[name]
    found = recognise(state, name="w.npz")
    assert isinstance(found, Waifu2x)
    assert (found.title, found.scale, found.lost) == (name.split()[0], scale, lost)
    picture = textured(34, 39)
    expected = trimmed(run_waifu2x(state, picture, enlarged=enlarged), lost, 2 if enlarged else scale)
    onnx = import_pytorch(state, name="w.npz", enlarged=enlarged)
    assert psnr(run_openvino(onnx, picture), expected) >= PROMISED_DB
    assert psnr(run_onnxruntime(onnx, picture), expected) >= PROMISED_DB


def installed(variant: Variant) -> Path:
    assert variant.package is not None
    folder = installed_folder(variant.package)
    if folder is None:
        missing(str(variant.package))
    return folder / variant.files[0].name


@pytest.mark.oracle
@pytest.mark.weights
@pytest.mark.usefixtures("pytorch")
@pytest.mark.parametrize(
    "variant",
    [pytest.param(each, id=each.name, marks=() if each in ONE_OF_EACH else pytest.mark.slow) for each in CHAINER],
)
def test_published_weights_give_what_pytorch_gives(settings: Settings, variant: Variant) -> None:
    state = read_npz(installed(variant))
    picture = textured(40, 44)
    network = recognise(state, name=variant.name)
    assert isinstance(network, Waifu2x)
    assert network.local == variant.local
    expected = trimmed(run_waifu2x(state, picture, enlarged=variant.enlarged), network.lost, variant.scale)
    made = run_openvino(prepare(variant, settings).path.read_bytes(), picture)
    assert psnr(made, expected) >= PROMISED_DB
    sides = [(side - 2 * variant.border) * variant.scale for side in picture.shape[1:]]
    assert list(made.shape[1:]) == sides


def renumbered(state: State) -> State:
    """As nn.Sequential names layers with an activation between each two of them."""
    return {f"net.{2 * int(key[4]) - 2}.{key.split('.')[1]}": values for key, values in state.items()}


@pytest.mark.parametrize("wrapper", ["", "state_dict"])
def test_the_same_tensors_from_pytorch_are_the_same_network(tmp_path: Path, wrapper: str) -> None:
    state = chain_state(VGG7)
    path = write_checkpoint(tmp_path / "vgg7.pth", renumbered(state), wrapper=wrapper)
    assert import_pytorch(read_checkpoint(path), name="a") == import_pytorch(state, name="b")


def without(state: State, key: str) -> State:
    return {name: values for name, values in state.items() if name != key}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            chain_state((32, 32, 64, 64, 128, 96)),
            "no network of waifu2x has layers of 32, 32, 64, 64, 128, 96, 3 channels",
        ),
        (chain_state(VGG7, up=True), "no network of waifu2x has layers"),
        (
            chain_state(VGG7) | {"conv3.weight": np.zeros((64, 32, 5, 5), np.float32)},
            r"layer 3 should be \(64, 32, 3, 3\)",
        ),
        (chain_state(VGG7) | {"conv3.bias": np.zeros(63, np.float32)}, "layer 3 should be"),
        (
            resnet_state() | {"res2.conv1.weight": np.zeros((64, 64, 1, 1), np.float32)},
            r"as a ResNet10, res2\.conv1\.weight",
        ),
        (
            without(resnet_state(up=True), "res4.fc2.bias"),
            r"as a UpResNet10 it lacks res4\.fc2\.bias",
        ),
        (resnet_state() | {"extra": np.zeros(1, np.float32)}, "a ResNet10 has no tensor extra"),
        (without(chain_state(VGG7), "conv2.weight"), "none of the networks Enlarger knows has tensors like"),
    ],
)
def test_what_is_none_of_them_is_refused_by_what_is_odd(state: State, said: str) -> None:
    with pytest.raises(WeightsRefusedError, match=f"odd.pth: .*{said}"):
        import_pytorch(state, name="odd.pth")
