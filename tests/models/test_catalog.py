"""Every name a client may use, and what is said of one nobody knows."""

from __future__ import annotations

import ast
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.errors import RecipeError, UnknownModelError
from enlarger.models import CONSERVATIVE, SEED_IDS, Card, Choice, load_catalog
from loud_skips import missing

CATALOG = load_catalog()
MODEL_NAMES = [variant.name for card in CATALOG.cards for variant in card.variants]


def engine_names() -> list[str]:
    """sr_vulkan's own list, read without importing the engine."""
    spec = find_spec("sr_vulkan")
    if spec is None or not spec.submodule_search_locations:
        missing("sr_vulkan")
        raise AssertionError
    tree = ast.parse(Path(spec.submodule_search_locations[0], "enum.py").read_text("utf-8"))
    found = next(node.value for node in tree.body if isinstance(node, ast.Assign))
    return list(ast.literal_eval(found))


@pytest.mark.oracle
def test_the_engines_84_names_all_resolve() -> None:
    names = engine_names()
    assert len(names) == 84
    for name in names:
        choice = CATALOG.choose(name)
        assert choice.variant.name == name.removesuffix("_TTA")
        assert choice.tta == name.endswith("_TTA")


def test_there_are_93_networks_and_every_name_means_one_thing() -> None:
    assert len(set(MODEL_NAMES)) == 93
    names = [name.casefold() for card in CATALOG.cards for name in (card.name, *card.aliases)]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_no_two_networks_share_a_file() -> None:
    """So that removing one leaves the others whole."""
    variants = [variant for card in CATALOG.cards for variant in card.variants]
    files = [(str(each.package), file.name) for each in variants for file in each.files]
    files += [
        ("", file.name) for each in variants for file in (each.handed, each.checkpoint and each.checkpoint.file) if file
    ]
    assert len(set(files)) == len(files)


def test_a_model_name_says_its_own_scale_and_noise() -> None:
    for card in CATALOG.cards:
        for variant in card.variants:
            assert f"_UP{variant.scale}X" in variant.name
            expected = {None: "X", CONSERVATIVE: "X_CONSERVATIVE"}.get(variant.noise, f"X_DENOISE{variant.noise}X")
            assert variant.name.endswith(f"_UP{variant.scale}{expected}")


@pytest.mark.parametrize(
    ("name", "card"),
    [
        (0, "waifu2x-cunet"),
        (1, "waifu2x-vgg7-photo"),
        (2, "waifu2x-vgg7"),
        (5, "waifu2x-upresnet10"),
        (6, "waifu2x-swin-unet-art-scan"),
        ("anime_style_art", "waifu2x-vgg7-y"),
        ("RealESRGAN_x2plus", "realesrgan-x2plus"),
        ("realesr-general-x4v3", "realesr-general-x4v3"),
        ("0", "waifu2x-cunet"),
        (3, "waifu2x-upconv7-anime"),
        (4, "waifu2x-upconv7-photo"),
        ("cunet", "waifu2x-cunet"),
        ("upconv_7_anime_style_art_rgb", "waifu2x-upconv7-anime"),
        ("models-cunet", "waifu2x-cunet"),
        ("models-se", "realcugan-se"),
        ("models-pro", "realcugan-pro"),
        ("models-DF2K", "realsr-df2k"),
        ("RealESRGAN_x4plus_anime_6B", "realesrgan-x4plus-anime"),
        ("realesrgan_x4plus_anime6b", "realesrgan-x4plus-anime"),
        ("real-esrgan-anime", "realesrgan-x4plus-anime"),
        ("realesr-animevideov3", "realesr-animevideov3"),
        ("RealESRGAN_x4plus", "realesrgan-x4plus"),
    ],
)
def test_other_programs_names_mean_our_cards(name: str | int, card: str) -> None:
    found = CATALOG.find(name)
    assert isinstance(found, Card)
    assert found.name == card


@given(
    st.sampled_from([*MODEL_NAMES, *(name for card in CATALOG.cards for name in (card.name, *card.aliases))]),
    st.randoms(use_true_random=False),
)
def test_names_match_in_any_case(name: str, random: object) -> None:
    shuffled = "".join(letter.upper() if random.random() < 0.5 else letter.lower() for letter in name)  # type: ignore[attr-defined]
    assert CATALOG.find(shuffled) == CATALOG.find(name) == CATALOG.find(f" {name} ")


def test_a_model_name_needs_no_prefix() -> None:
    found = CATALOG.find("realcugan_se_up2x_denoise1x_tta")
    assert isinstance(found, Choice)
    assert (found.variant.name, found.tta) == ("MODEL_REALCUGAN_SE_UP2X_DENOISE1X", True)


@pytest.mark.parametrize(("name", "nearest"), [("cunett", "cunet"), ("real-cugan-se", "realcugan-se"), ("vgg", "")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownModelError, match=rf"no model “{name}”.*Did you mean “{nearest}.*enlarger models list"):
        CATALOG.find(name)


def test_every_seed_id_means_a_model() -> None:
    assert [CATALOG.find(number) for number in range(len(SEED_IDS))] == [CATALOG.find(name) for name in SEED_IDS]


def test_choosing_by_scale_noise_and_tta() -> None:
    choice = CATALOG.choose("cunet", noise=3, tta=True)
    assert (choice.variant.name, choice.tta) == ("MODEL_WAIFU2X_CUNET_UP2X_DENOISE3X", True)
    assert CATALOG.choose("realesrgan-x4plus").variant.scale == 4
    assert CATALOG.choose("realcugan-se", scale=3, noise=CONSERVATIVE).variant.noise == CONSERVATIVE


def test_what_contradicts_a_model_name_is_refused() -> None:
    assert CATALOG.choose("MODEL_WAIFU2X_CUNET_UP2X_DENOISE1X", scale=2, noise=1).variant.noise == 1
    assert CATALOG.choose("MODEL_REALCUGAN_SE_UP2X", noise=0).variant.noise is None
    with pytest.raises(RecipeError, match="MODEL_WAIFU2X_CUNET_UP2X means 2x, but 4x was asked for"):
        CATALOG.choose("MODEL_WAIFU2X_CUNET_UP2X", scale=4)
    with pytest.raises(RecipeError, match="DENOISE1X means 1, but 3 was asked for"):
        CATALOG.choose("MODEL_WAIFU2X_CUNET_UP2X_DENOISE1X", noise=3)
