"""`enlarger models add` and `remove`, as a person uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_running import Enlarger
from PIL import Image

from checkpoint_files import runs, small_srvgg, write_archive, write_checkpoint
from onnx_files import plain_2x, relu, write


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def names(enlarger: Enlarger) -> list[str]:
    return [each["name"] for each in enlarger("models", "list", "--json").json["models"]]


def test_a_model_of_ones_own_is_added_listed_shown_and_removed(enlarger: Enlarger, tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path / "My_Anime.pth", small_srvgg(2))
    before = names(enlarger)
    added = enlarger("models", "add", file)
    assert added.code == 0
    assert "my_anime: My_Anime" in added.out
    assert "SRVGGNetCompact, 4 × 8" in added.out
    assert "Added from: My_Anime.pth" in added.out
    assert names(enlarger) == [*before, "my_anime"]
    assert "MODEL_OWN_MY_ANIME_UP2X" in enlarger("models", "show", "my_anime").out
    removed = enlarger("models", "remove", "my_anime")
    assert (removed.code, removed.out.strip()) == (0, str(enlarger.data_dir / "models" / "own" / "my_anime"))
    assert names(enlarger) == before
    assert enlarger("models", "show", "my_anime").code == 4


def test_it_enlarges(enlarger: Enlarger, tmp_path: Path) -> None:
    card = enlarger("models", "add", write(tmp_path / "net.onnx", plain_2x()), "--name", "mine", "--json").json
    assert (card["name"], card["scales"], card["weights"]["here"]) == ("mine", [2], 1)
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(tmp_path / "page.png")
    done = enlarger(
        "upscale", tmp_path / "page.png", "-o", tmp_path / "out.png", "--model", "mine", "--device", "openvino"
    )
    assert done.code == 0, done.err
    with Image.open(tmp_path / "out.png") as made:
        assert made.size == (60, 40)


def test_one_that_keeps_size_takes_pictures_as_they_are_and_refuses_to_enlarge(
    enlarger: Enlarger, tmp_path: Path
) -> None:
    card = enlarger("models", "add", write(tmp_path / "net.onnx", relu()), "--name", "cleaner", "--json").json
    assert card["scales"] == [1]
    page, out = tmp_path / "page.png", tmp_path / "out.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)).save(page)
    done = enlarger("upscale", page, "-o", out, "--model", "cleaner", "--device", "openvino")
    assert done.code == 0, done.err
    with Image.open(out) as made:
        assert made.size == (30, 20)
    refused = enlarger("upscale", page, "-o", tmp_path / "larger.png", "--model", "cleaner", "--scale", "2")
    assert refused.code != 0
    assert "does not enlarge" in refused.err


def test_what_is_assumed_of_colours_is_said(enlarger: Enlarger, tmp_path: Path) -> None:
    assert "red, green, blue" in enlarger("models", "add", write(tmp_path / "net.onnx", plain_2x())).err


def test_a_hostile_file_is_code_4_and_does_nothing(enlarger: Enlarger, tmp_path: Path) -> None:
    done = enlarger("models", "add", write_archive(tmp_path / "bad.pth", runs(tmp_path / "ran")), "--json")
    assert done.code == 4
    assert done.json["error"]["code"] == "weights_refused"
    assert "Nothing was added" in done.json["error"]["remedy"]
    assert not (tmp_path / "ran").exists()


def test_a_taken_name_and_a_package_are_refused_with_a_reason(enlarger: Enlarger, tmp_path: Path) -> None:
    file = write_checkpoint(tmp_path / "cunet.pth", small_srvgg())
    done = enlarger("models", "add", file)
    assert done.code != 0
    assert "is a model of Enlarger's own" in done.err
    assert enlarger("models", "remove", "realesrgan-x2plus").code != 0
    assert "has no files on this machine" in enlarger("models", "remove", "realesrgan-x2plus").err


def test_a_model_that_waits_for_its_file_says_which(enlarger: Enlarger) -> None:
    shown = enlarger("models", "show", "photo").out
    assert "scale2.0x_model.json" in shown
    assert "https://github.com/nagadomi/waifu2x" in shown
    refused = enlarger("models", "pull", "photo")
    assert refused.code == 4
    assert "scale2.0x_model.json from https://github.com/nagadomi/waifu2x and hand each in" in refused.err
    assert "--from noise0_model.json" in enlarger("models", "pull", "MODEL_WAIFU2X_VGG7PHOTO_UP1X_DENOISE0X").err


def test_one_model_that_cannot_be_fetched_does_not_keep_others_away(enlarger: Enlarger, tmp_path: Path) -> None:
    enlarger("models", "add", write_checkpoint(tmp_path / "mine.pth", small_srvgg()))
    done = enlarger("models", "pull", "photo", "mine", "swin_unet_art_scan")
    assert done.code == 4
    assert "2 of 3 models could not be fetched: waifu2x-vgg7-photo, waifu2x-swin-unet-art-scan" in done.err
    assert "weights.pth" in done.out


def test_what_was_fetched_is_told_beside_what_was_not_as_json_too(enlarger: Enlarger, tmp_path: Path) -> None:
    enlarger("models", "add", write_checkpoint(tmp_path / "mine.pth", small_srvgg()))
    done = enlarger("models", "pull", "photo", "mine", "--json")
    assert done.code == 4
    photo, mine = done.json["models"]
    assert (photo["name"], photo["error"]["code"], "weights" in photo) == ("waifu2x-vgg7-photo", "fetch_failed", False)
    assert (mine["name"], "error" in mine) == ("mine", False)
    assert [Path(file).name for file in mine["weights"][0]["files"]] == ["weights.pth"]
    assert "1 of 2 models" in done.json["error"]["message"]
    assert "1 of 2 models" in done.err
    alone = enlarger("models", "pull", "photo", "--json").json
    assert alone["error"] == alone["models"][0]["error"] == photo["error"]
