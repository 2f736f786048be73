"""nagadomi's JSON models: the same graph as the same weights from elsewhere, and clear words for what is odd."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from waifu2x_networks import NAGADOMIS_UPCONV7, VGG7, State, chain_state

from enlarger.errors import FetchError, WeightsMissingError, WeightsRefusedError
from enlarger.models import add_model, adopt, load_catalog, locate, prepare
from enlarger.models.pytorch_import import import_pytorch
from enlarger.models.torch7_import import read_torch7
from enlarger.models.waifu2x_import import import_waifu2x, recognise_chain
from enlarger.settings import Settings

PHOTO = load_catalog().find("photo")


def exported(state: State) -> list[dict[str, Any]]:
    """The layers as his tools write them; a transposed one names its class."""
    layers = []
    for number in range(1, 8):
        weight = state[f"conv{number}.weight"]
        transposed = weight.shape[2] == 4
        planes = (weight.shape[0], weight.shape[1]) if transposed else (weight.shape[1], weight.shape[0])
        bias = state.get(f"conv{number}.bias", np.zeros(planes[1], np.float32))
        layer: dict[str, Any] = {"nInputPlane": planes[0], "nOutputPlane": planes[1]}
        layer |= {"kW": weight.shape[3], "kH": weight.shape[2], "weight": weight.tolist(), "bias": bias.tolist()}
        layers.append(layer | ({"class_name": "nn.SpatialFullConvolution"} if transposed else {}))
    return layers


@cache
def vgg7_text() -> str:
    """A whole model of it."""
    return json.dumps(exported(chain_state(VGG7)))


def write_vgg7(path: Path) -> Path:
    path.write_text(vgg7_text())
    return path


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("widths", "up", "channels"),
    [(VGG7, False, 1), (VGG7, False, 3), pytest.param(NAGADOMIS_UPCONV7, True, 3, marks=pytest.mark.slow)],
)
def test_it_is_the_network_that_the_same_tensors_are_elsewhere(
    tmp_path: Path, widths: tuple[int, ...], up: bool, channels: int
) -> None:
    state = chain_state(widths, up=up, channels=channels)
    network = recognise_chain(read_torch7(write(tmp_path / "m.json", exported(state))), name="m.json")
    assert import_waifu2x(network, enlarged=False) == import_pytorch(state, name="m.pth")


def test_the_photo_model_waits_for_its_file_and_says_where_it_is(settings: Settings, tmp_path: Path) -> None:
    online = settings.model_copy(update={"offline": False})
    scaler = load_catalog().choose("photo").variant
    with pytest.raises(WeightsMissingError, match=r"scale2\.0x_model\.json from https://github\.com/nagadomi/waifu2x"):
        prepare(scaler, settings)
    with pytest.raises(FetchError, match=r"pull MODEL_WAIFU2X_VGG7PHOTO_UP1X_DENOISE0X --from noise0_model\.json"):
        prepare(load_catalog().choose("photo", scale=1, noise=0).variant, online)
    file = write_vgg7(tmp_path / "scale2.0x_model.json")
    (weights,) = adopt(file, PHOTO, settings)
    assert (weights.kind, weights.verified) == ("json", False)
    assert weights.paths == (settings.models_dir / "waifu2x-vgg7-photo" / "scale2.0x_model.json",)
    assert locate(scaler, settings) == weights
    assert prepare(scaler, settings).path.read_bytes() == import_pytorch(chain_state(VGG7), name="x", enlarged=True)


@pytest.mark.slow  # a million weights as text
def test_a_file_of_another_network_is_not_adopted(settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "scale2.0x_model.json", exported(chain_state(NAGADOMIS_UPCONV7, up=True)))
    with pytest.raises(WeightsRefusedError, match="it enlarges 4x, and MODEL_WAIFU2X_VGG7PHOTO_UP2X is 2x"):
        adopt(file, PHOTO, settings)
    assert not settings.models_dir.exists()


def test_a_file_whose_name_says_nothing_must_be_handed_in_for_one_network(settings: Settings, tmp_path: Path) -> None:
    file = write_vgg7(tmp_path / "model.json")
    with pytest.raises(FetchError, match=r"noise0_model\.json, .*scale2\.0x_model\.json"):
        adopt(file, PHOTO, settings)
    assert adopt(file, load_catalog().choose("photo", scale=1, noise=2).variant, settings)


ODD = exported(chain_state(VGG7))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "no list of layers"),
        ([], "holds no network"),
        ([{"weight": []}] * 7, r"no list of layers as waifu2x exports it \(at 0\.nInputPlane\)"),
        ([*ODD[:-1], {**ODD[-1], "weight": "many"}], r"\(at 6\.weight\)"),
        ([*ODD[:-1], {**ODD[-1], "weight": [[1, 2], [3]]}], "the weights of layer 7 are no numbers"),
        ([*ODD[:-1], {**ODD[-1], "kW": 5}], r"layer 7 should be \(3, 128, 3, 5\) but is \(3, 128, 3, 3\)"),
        (ODD[:-1], "no network of waifu2x has layers of 32, 32, 64, 64, 128, 128 channels"),
        ([{**ODD[0], "weight": [], "bias": []}] * 65, "holds no network"),
    ],
)
def test_what_is_odd_is_said(tmp_path: Path, content: object, said: str) -> None:
    path = write(tmp_path / "m.json", content)
    with pytest.raises(WeightsRefusedError, match=rf"m\.json: .*{said}"):
        recognise_chain(read_torch7(path), name=str(path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"a":'])
def test_broken_text_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    with pytest.raises(WeightsRefusedError, match=r"m\.json: .*the file is broken"):
        read_torch7(path)


def test_one_called_as_cards_are_kept_is_added_like_others(settings: Settings, tmp_path: Path) -> None:
    card = add_model(write_vgg7(tmp_path / "card.json"), settings, scale=1)
    assert locate(card.variants[0], settings) is not None
    assert load_catalog(settings).find("card") == card
