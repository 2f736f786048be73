"""Cards against the files they describe: what each network really takes and gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from enlarger.errors import RecipeError
from enlarger.models import CONSERVATIVE, NOISE_NAMES, Card, Variant, load_catalog, noise_name, parse_noise
from enlarger.models.catalog import read_card
from enlarger.models.sources import installed_folder
from loud_skips import missing

CARDS = load_catalog().cards


def card(name: str) -> Card:
    return next(card for card in CARDS if card.name == name)


def variant(name: str) -> Variant:
    return next(variant for card in CARDS for variant in card.variants if variant.name == name)


@pytest.mark.parametrize("name", NOISE_NAMES)
def test_noise_levels_are_read_as_they_are_written(name: str) -> None:
    assert noise_name(parse_noise(name.upper())) == name


def test_minus_one_is_conservative_and_other_words_are_refused() -> None:
    assert parse_noise(" -1 ") == CONSERVATIVE
    with pytest.raises(RecipeError, match=r"“4” is not a noise level.*none, conservative, 0, 1, 2, 3"):
        parse_noise("4")


def test_variants_are_found_by_scale_and_noise() -> None:
    assert card("waifu2x-cunet").variant(2, 0).name == "MODEL_WAIFU2X_CUNET_UP2X_DENOISE0X"
    assert card("waifu2x-cunet").variant(2).name == "MODEL_WAIFU2X_CUNET_UP2X"
    assert card("realcugan-se").variant(4, CONSERVATIVE).name == "MODEL_REALCUGAN_SE_UP4X_CONSERVATIVE"


def test_level_0_means_none_on_a_card_that_has_no_level_0() -> None:
    assert card("realcugan-pro").variant(3, 0).noise is None
    assert card("realesrgan-x4plus").variant(4, 0).noise is None
    assert card("waifu2x-cunet").variant(1, 0).noise == 0


def test_what_a_card_lacks_is_answered_with_what_it_has() -> None:
    with pytest.raises(RecipeError, match=r"realesrgan-x4plus has no network for 2x.*gives: 4x"):
        card("realesrgan-x4plus").variant(2)
    with pytest.raises(RecipeError, match=r"waifu2x-cunet 1x has no noise level “none”.*one of: 0, 1, 2, 3"):
        card("waifu2x-cunet").variant(1)
    with pytest.raises(RecipeError, match=r"realcugan-se 3x has no .*“1”.*none, conservative, 3"):
        card("realcugan-se").variant(3, 1)


def test_scales_and_their_default() -> None:
    assert card("waifu2x-cunet").scales == (1, 2)
    assert card("waifu2x-cunet").default_scale == 2
    assert card("realsr-df2k").default_scale == 4
    assert card("realcugan-pro").noises(2) == (None, CONSERVATIVE, 3)


def test_every_card_states_licence_origin_and_both_titles() -> None:
    for each in CARDS:
        assert each.licence in {"MIT", "Apache-2.0", "BSD-3-Clause"}
        assert each.origin.startswith("https://")
        assert each.credit
        assert set(each.title) == {"en", "zh"}


def test_a_misspelt_key_is_an_error() -> None:
    sheet = """
        name = "x"
        title = {}
        purpose = "art"
        licence = "MIT"
        origin = "https://x.example"
        credit = ""
        aliases = []
        package = { distribution = "x", version = "1", licence = "MIT", folder = "x", wheel_bytes = 1 }
        [[variant]]
        name = "MODEL_X"
        scale = 2
        param = { size_bytes = 1, sha256 = "" }
        bin = { size_bytes = 1, sha256 = "" }
        """
    assert [file.name for file in read_card(sheet).variants[0].files] == ["X.param", "X.bin"]
    with pytest.raises(ValidationError, match="boarder"):
        read_card(sheet + "boarder = 18\n")


def test_a_halo_covers_the_border_and_the_tile_can_be_cut() -> None:
    for each in (variant for card in CARDS for variant in card.variants):
        assert each.halo >= each.border
        assert each.multiple in {1, 2, 4, 48}


# One network of every card and scale; noise levels share their layers (asserted below).
SHAPES = [
    "MODEL_WAIFU2X_CUNET_UP1X_DENOISE0X",
    "MODEL_WAIFU2X_CUNET_UP2X",
    "MODEL_WAIFU2X_ANIME_UP2X",
    "MODEL_WAIFU2X_PHOTO_UP2X",
    "MODEL_REALCUGAN_PRO_UP2X",
    "MODEL_REALCUGAN_PRO_UP3X",
    "MODEL_REALCUGAN_SE_UP2X",
    "MODEL_REALCUGAN_SE_UP3X",
    "MODEL_REALCUGAN_SE_UP4X",
    "MODEL_REALSR_DF2K_UP4X",
    "MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X",
    "MODEL_REALESRGAN_ANIMAVIDEOV3_UP3X",
    "MODEL_REALESRGAN_ANIMAVIDEOV3_UP4X",
    "MODEL_REALESRGAN_X4PLUS_UP4X",
    "MODEL_REALESRGAN_X4PLUSANIME_UP4X",
]
DEEP = {"MODEL_REALSR_DF2K_UP4X", "MODEL_REALESRGAN_X4PLUS_UP4X", "MODEL_REALESRGAN_X4PLUSANIME_UP4X"}


def test_the_shapes_cover_every_set_of_layers() -> None:
    variants = [variant for card in CARDS for variant in card.variants]
    layers = {each.files[0].sha256 for each in variants if each.files and each.files[0].name.endswith(".param")}
    assert {variant(name).files[0].sha256 for name in SHAPES} == layers


@pytest.mark.weights
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in DEEP else ()) for name in SHAPES]
)
def test_a_tile_loses_the_stated_border(name: str) -> None:
    each = variant(name)
    height, width = _side(each, 64 if each.border else 8), _side(each, 70 if each.border else 9)
    assert _output_size(each, height, width) == (
        (height - 2 * each.border) * each.scale,
        (width - 2 * each.border) * each.scale,
    )


def _folder(each: Variant) -> Path:
    assert each.package is not None
    folder = installed_folder(each.package)
    if folder is None:
        missing(str(each.package))
        raise AssertionError
    return folder


def _side(each: Variant, at_least: int) -> int:
    return -(-at_least // each.multiple) * each.multiple


def _output_size(each: Variant, height: int, width: int) -> tuple[int, int]:
    import ncnn
    import numpy as np

    folder = _folder(each)
    net = ncnn.Net()
    param, weights = each.files
    net.load_param(str(folder / param.name))
    net.load_model(str(folder / weights.name))
    pixels = ncnn.Mat(np.zeros((3, height, width), np.float32)).clone()
    extractor = net.create_extractor()
    extractor.input(net.input_names()[0], pixels)
    output = extractor.extract(net.output_names()[0])[1]
    return output.h, output.w


@pytest.mark.weights
@pytest.mark.parametrize("name", SHAPES)
def test_sides_of_the_stated_multiple_and_no_smaller_one_fit(name: str) -> None:
    each = variant(name)
    sides = range(96, 112)
    assert [side for side in sides if _strides_fit(each, side)] == [side for side in sides if side % each.multiple == 0]


def _strides_fit(each: Variant, side: int) -> bool:
    """Whether no strided convolution of the .param drops a row: what is dropped shifts all that follows."""
    folder = _folder(each)
    sides: dict[str, int] = {}
    for line in (folder / each.files[0].name).read_text().splitlines()[2:]:
        kind, _, n_in, n_out, *rest = line.split()
        ins, outs = rest[: int(n_in)], rest[int(n_in) : int(n_in) + int(n_out)]
        options = dict(option.split("=") for option in rest[int(n_in) + int(n_out) :])
        before = [sides[name] for name in ins] or [side]
        after, dropped = _after(kind, before, options)
        if dropped:
            return False
        sides.update(dict.fromkeys(outs, after))
    return True


def _after(kind: str, before: list[int], options: dict[str, str]) -> tuple[int, int]:
    if kind in {"Convolution", "Deconvolution"}:
        kernel, stride, pad = int(options["1"]), int(options.get("3", 1)), int(options.get("4", 0))
        if kind == "Deconvolution":
            return (before[0] - 1) * stride + kernel - 2 * pad, 0
        return (before[0] + 2 * pad - kernel) // stride + 1, (before[0] + 2 * pad - kernel) % stride
    if kind == "Crop":
        return (before[1] if len(before) == 2 else before[0] - 2 * int(options["-23309"].split(",")[1])), 0
    if kind in {"Pooling", "InnerProduct"}:
        return 1, 0
    return max(before), 0  # what enlarges (PixelShuffle, Interp) comes last and never strides
