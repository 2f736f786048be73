"""Real-CUGAN's checkpoints: PyTorch's numbers, the packaged files' graphs, their cards' facts, and plain refusals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import Plane, psnr, run_ncnn, run_onnxruntime, run_openvino, textured
from published_cunets import State, in_pros_range, published_state

from checkpoint_files import number, runs, write_checkpoint, write_legacy
from enlarger.errors import WeightsRefusedError
from enlarger.models import Variant, add_model, load_catalog, locate, prepare
from enlarger.models.checkpoint import read_checkpoint
from enlarger.models.cugan_import import Cugan, cugan_shapes, recognise_layers
from enlarger.models.importing import import_ncnn_files
from enlarger.models.ncnn_format import parse_param
from enlarger.models.pytorch_import import import_pytorch, recognise
from enlarger.settings import Settings
from loud_skips import missing

PROMISED_DB = 60.0
BORDERS = {2: 18, 3: 14, 4: 19}
TILE_FACTS = ("scale", "border", "multiple", "remainder", "halo", "local", "shared_poolings", "enlarged")
SE = [f"MODEL_REALCUGAN_SE_UP{scale}X" for scale in BORDERS]
PRO = [f"MODEL_REALCUGAN_PRO_UP{scale}X" for scale in (2, 3)]


def published(name: str, settings: Settings) -> tuple[Variant, tuple[Path, ...]]:
    variant = load_catalog().choose(name).variant
    weights = locate(variant, settings)
    if weights is None:
        missing(str(variant.package))
    return variant, weights.paths


def as_published(path: Path, name: str, files: tuple[Path, ...]) -> Path:
    """The packaged weights as the authors' own file: PyTorch's older format, and Pro's mark beside the tensors."""
    state = published_state(files[0], files[1])
    return write_legacy(path, in_pros_range(state), pro=number(1)) if name in PRO else write_legacy(path, state)


def zeros(scale: int) -> State:
    return {key: np.zeros(shape, np.float32) for key, shape in cugan_shapes(Cugan(scale, pro=False)).items()}


@pytest.fixture(scope="module")
def modules() -> Any:
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("PyTorch")
    import cunet_modules

    return cunet_modules


@pytest.mark.oracle
@pytest.mark.parametrize("pro", [False, True], ids=["se", "pro"])
@pytest.mark.parametrize("scale", BORDERS)
def test_the_graph_gives_what_pytorch_gives(modules: Any, tmp_path: Path, scale: int, pro: bool) -> None:
    net, picture, border = modules.random_cunet(scale), textured(64, 72), BORDERS[scale]
    path = modules.save(net, tmp_path / "w.pth", pro=pro)
    expected = modules.run_module(net, picture, pro=pro)
    assert expected.shape == (3, (64 - 2 * border) * scale, (72 - 2 * border) * scale)
    state = read_checkpoint(path)
    assert recognise(state, name="w.pth") == Cugan(scale, pro)
    made = import_pytorch(state, name="w.pth")
    assert psnr(run_openvino(made, picture), expected) >= PROMISED_DB
    assert psnr(run_onnxruntime(made, picture), expected) >= PROMISED_DB


@pytest.mark.weights
@pytest.mark.parametrize("name", SE)
def test_the_published_weights_give_the_packaged_graph_byte_by_byte(settings: Settings, name: str) -> None:
    """So all that follows, shared averages, tiles, ncnn's form, calibration, is what the packaged model has."""
    variant, files = published(name, settings)
    packaged, _ = import_ncnn_files(files, scale=variant.scale, border=variant.border, residual=variant.residual)
    assert import_pytorch(published_state(*files), name=name) == packaged


@pytest.mark.weights
@pytest.mark.parametrize("name", PRO)
def test_pros_range_goes_into_the_weights_as_in_the_packaged_files(settings: Settings, name: str) -> None:
    _, files = published(name, settings)
    state, picture = published_state(*files), textured(64, 72)
    expected = run_ncnn(*files, picture)
    marked = in_pros_range(state) | {"pro": np.ones((), np.float32)}
    assert psnr(run_openvino(import_pytorch(marked, name=name), picture), expected) >= PROMISED_DB
    assert psnr(run_openvino(import_pytorch(in_pros_range(state), name=name), picture), expected) < 30


@pytest.mark.weights
@pytest.mark.parametrize("name", [*SE, *PRO])
def test_a_persons_file_asks_of_a_tile_what_the_packaged_card_does(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    packaged, files = published(name, settings)
    card = add_model(as_published(tmp_path / "mine.pth", name, files), settings)
    (own,) = card.variants
    assert [getattr(own, fact) for fact in TILE_FACTS] == [getattr(packaged, fact) for fact in TILE_FACTS]
    assert f"UpCunet{packaged.scale}x" in card.credit
    assert ("Pro" in card.credit) == (name in PRO)
    graph = prepare(own, settings)
    if name in SE:
        assert graph.digest == prepare(packaged, settings).digest
    assert graph.ncnn is not None
    picture = textured(64, 72)
    expected = run_openvino(graph.path.read_bytes(), picture)
    assert psnr(run_ncnn(graph.ncnn.param, graph.ncnn.bin, picture), expected) >= PROMISED_DB


@pytest.mark.weights
@pytest.mark.parametrize("name", [*SE, *PRO])
def test_nihuis_own_files_are_known_for_what_they_are(settings: Settings, tmp_path: Path, name: str) -> None:
    """Without the input that its program adds, a 4x network's result would be next to black."""
    packaged, files = published(name, settings)
    for file in files:
        shutil.copyfile(file, tmp_path / f"up-conservative{file.suffix}")
    card = add_model(tmp_path / "up-conservative.param", settings)
    (own,) = card.variants
    facts = (*TILE_FACTS, "residual")
    assert [getattr(own, fact) for fact in facts] == [getattr(packaged, fact) for fact in facts]
    assert f"UpCunet{packaged.scale}x" in card.credit
    assert prepare(own, settings).digest == prepare(packaged, settings).digest


@pytest.mark.weights
@pytest.mark.parametrize(("was", "becomes"), [("0=12 1=3", "0=1e999 1=3"), ("0=12 1=3", "0=12 1=3 4=1")])
def test_ncnn_layers_that_only_look_like_it_are_none_of_it(settings: Settings, was: str, becomes: str) -> None:
    _, (param, _) = published("MODEL_REALCUGAN_SE_UP4X", settings)
    text = param.read_text()
    assert text.count(was) == 1
    assert recognise_layers(parse_param(text, name="4x.param")) == (Cugan(4, pro=False), True)
    assert recognise_layers(parse_param(text.replace(was, becomes), name="4x.param")) is None


def test_a_mark_that_is_a_tensor_counts_as_the_number(tmp_path: Path) -> None:
    """As programs leave it that load the authors' file and save it again."""
    again = read_checkpoint(write_checkpoint(tmp_path / "w.pth", zeros(2) | {"pro": np.zeros(1, np.float32)}))
    assert recognise(again, name="w.pth") == Cugan(2, pro=True)


def changed(scale: int, **tensors: np.ndarray | None) -> State:
    state: dict[str, Any] = zeros(scale) | {key.replace("__", "."): values for key, values in tensors.items()}
    return {key: values for key, values in state.items() if values is not None}


def blank(*shape: int) -> Plane:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (changed(2, unet2__conv5__bias=None), "as a UpCunet2x (Real-CUGAN, waifu2x) it lacks unet2.conv5.bias"),
        (changed(3, unet2__conv_bottom__weight=blank(12, 64, 3, 3)), "as a Real-CUGAN UpCunet3x, unet2.conv_bottom"),
        (changed(4, conv_final__bias=None), "as a Real-CUGAN UpCunet4x it lacks conv_final.bias"),
        (changed(4, unet1__conv_bottom__weight=blank(64, 64, 3, 3)), "should be (64, 64, 4, 4) but is (64, 64, 3, 3)"),
        (  # sudo's UpCunet2x_fast, which folds the picture first
            changed(4, unet1__conv1__conv__0__weight=blank(32, 12, 3, 3)),
            "unet1.conv1.conv.0.weight should be (32, 3, 3, 3) but is (32, 12, 3, 3)",
        ),
        (changed(2, unet3__conv1__weight=blank(1)), "a UpCunet2x (Real-CUGAN, waifu2x) has no tensor unet3.conv1"),
        (changed(2, pro=blank(), conv_extra__bias=blank(3)), "a Real-CUGAN Pro UpCunet2x has no tensor conv_extra"),
        (changed(2, unet1__conv_bottom__weight=None), "as a CUNet it lacks unet1.conv_bottom.weight"),
        (changed(2, unet1__conv_bottom__weight=blank()), "unet1.conv_bottom.weight should be"),
    ],
)
def test_a_neighbour_is_refused_by_what_was_not_recognised(state: State, said: str) -> None:
    with pytest.raises(WeightsRefusedError) as caught:
        import_pytorch(state, name="near.pth")
    assert caught.value.text("en").startswith("near.pth: these weights cannot be used: ")
    assert said in caught.value.text("en")


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda whole: whole[:-1]], ids=["half", "a byte less"]
)
@pytest.mark.parametrize("write", [write_legacy, write_checkpoint], ids=["before 1.6", "today"])
def test_a_truncated_file_adds_nothing(
    settings: Settings, tmp_path: Path, damage: Callable[[bytes], bytes], write: Callable[..., Path]
) -> None:
    path = write(tmp_path / "up2x-latest-conservative.pth", zeros(2))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsRefusedError, match=r"up2x-latest-conservative\.pth"):
        add_model(path, settings)
    assert not load_catalog(settings).cards[-1].own


def test_a_hostile_file_adds_nothing_and_runs_nothing(settings: Settings, tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "pro-denoise3x-up2x.pth"
    path.write_bytes(runs(marker))
    with pytest.raises(WeightsRefusedError, match=r"pro-denoise3x-up2x\.pth"):
        add_model(path, settings)
    assert not marker.exists()
    assert not load_catalog(settings).cards[-1].own
