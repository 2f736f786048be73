"""`enlarger models`: the list, a card, and weights brought in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from command_running import SMALL_MODEL, Enlarger, require_weights

from enlarger.enhance import DEFAULT_MODEL
from enlarger.models import Card, Catalog, Checkpoint, Package, Variant, WeightFile, load_catalog
from enlarger.settings import Settings

CARDS = load_catalog().cards


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def test_the_list_names_every_model_and_marks_the_default(enlarger: Enlarger) -> None:
    done = enlarger("models", "list")
    assert done.code == 0
    for card in CARDS:
        (line,) = [line for line in done.out.splitlines() if line.split(" ")[0] == card.name]
        assert card.licence in line
        assert (" * " in line) == (card.name == DEFAULT_MODEL)


def test_the_list_as_json(enlarger: Enlarger) -> None:
    models = enlarger("models", "list", "--json").json["models"]
    assert [each["name"] for each in models] == [card.name for card in CARDS]
    assert [each["name"] for each in models if each["default"]] == [DEFAULT_MODEL]
    assert all(each["weights"]["all"] == len(each["variants"]) for each in models)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_tells_all_its_files(enlarger: Enlarger, card: Card) -> None:
    shown = enlarger("models", "show", card.name).out
    for told in (card.origin, card.licence, card.credit, *card.aliases, *(variant.name for variant in card.variants)):
        assert told in shown
    for variant in card.variants:
        assert all(file.sha256 in shown for file in variant.files)
        assert variant.handed is None or variant.handed.source in shown
        assert variant.checkpoint is None or variant.checkpoint.url in shown


def test_a_card_is_found_by_alias_and_network(enlarger: Enlarger) -> None:
    by_name = enlarger("models", "show", "waifu2x-cunet", "--json").json
    assert enlarger("models", "show", "CUNET", "--json").json == by_name
    assert enlarger("models", "show", "MODEL_WAIFU2X_CUNET_UP2X", "--json").json == by_name


def test_an_unknown_model_is_code_4_with_the_nearest(enlarger: Enlarger) -> None:
    done = enlarger("models", "show", "waifu2x-cunett", "--json")
    assert done.code == 4
    assert done.json["error"]["code"] == "unknown_model"
    assert "waifu2x-cunet" in done.json["error"]["remedy"]


@pytest.mark.weights
def test_pulling_what_is_there_names_its_files(enlarger: Enlarger) -> None:
    require_weights()
    done = enlarger("models", "pull", SMALL_MODEL)
    assert done.code == 0
    assert done.err == ""  # nothing was fetched
    assert "WAIFU2X_ANIME_UP2X.bin" in done.out
    (model,) = enlarger("models", "pull", "MODEL_WAIFU2X_ANIME_UP2X", "--json").json["models"]
    assert model["name"] == "MODEL_WAIFU2X_ANIME_UP2X"
    assert [Path(file).name for file in model["weights"][0]["files"]] == [
        "WAIFU2X_ANIME_UP2X.param",
        "WAIFU2X_ANIME_UP2X.bin",
    ]


def test_a_file_that_is_not_there_is_code_4(enlarger: Enlarger, tmp_path: Path) -> None:
    done = enlarger("models", "pull", "realesr-animevideov3", "--from", tmp_path / "no.pth")
    assert done.code == 4
    assert "no.pth" in done.err


@pytest.mark.shared
def test_a_file_of_ones_own_is_taken_and_said_to_be_so(enlarger: Enlarger, shared: Path) -> None:
    checkpoint = shared / "weights" / "realesrgan" / "realesr-animevideov3.pth"
    done = enlarger("models", "pull", "realesr-animevideov3", "--from", checkpoint)
    assert done.code == 0
    assert str(enlarger.data_dir / "models" / "realesr-animevideov3.pth") in done.out
    assert "not the published file" in done.err


def test_one_model_whose_files_are_damaged_does_not_keep_others_away(
    enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its 4x has a URL, and its file is here; its 2x comes from a package alone, and that file is another one."""
    models = Settings().models_dir
    whole, damaged = WeightFile("4x.pth", 5, hashlib.sha256(b"whole").hexdigest()), WeightFile("2x.bin", 7, "0" * 64)
    package = Package("some", "1.0", "MIT", "some", wheel_bytes=7)
    variants = (
        Variant("MODEL_SOME_UP2X", 2, None, 0, package, (damaged,)),
        Variant("MODEL_SOME_UP4X", 4, None, 0, package, (), checkpoint=Checkpoint(whole, "https://x.example", "srvgg")),
    )
    card = Card("some", {"en": "Some", "zh": "某"}, "any", "MIT", "https://x.example", "nobody", (), variants)
    monkeypatch.setattr("enlarger.models.load_catalog", lambda _: Catalog((card,)))
    (models / "some-1.0").mkdir(parents=True)
    (models / "some-1.0" / damaged.name).write_bytes(b"damaged")
    (models / whole.name).write_bytes(b"whole")
    done = enlarger("models", "pull", "some", "MODEL_SOME_UP4X", "--source", "url", "--json")
    assert done.code == 4
    refused, taken = done.json["models"]
    assert (refused["name"], refused["error"]["code"]) == ("some", "weights_refused")
    assert (taken["name"], taken["weights"][0]["verified"]) == ("MODEL_SOME_UP4X", True)
