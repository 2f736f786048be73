"""Low, medium and high mean a noise level where a card has some, and a share of a denoised picture where not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from enlarger.enhance import make_recipe
from enlarger.enhance.denoise import blend, strength_of
from enlarger.models import Card, load_catalog
from pages import noise

CATALOG = load_catalog()
WORDS = ("low", "medium", "high")
LEVELLESS = {"realesr-animevideov3", "realesrgan-x4plus", "realesrgan-x4plus-anime", "realsr-df2k"}
LEVELLESS |= {"realesr-general-x4v3", "realesrgan-x2plus"}


@pytest.mark.parametrize(
    ("card", "scale", "levels"),
    [
        ("waifu2x-cunet", 1, [0, 1, 2]),
        ("waifu2x-cunet", 2, [0, 1, 2]),
        ("waifu2x-cunet", 4, [0, 1, 2]),
        ("waifu2x-upconv7-anime", 2, [0, 1, 2]),
        ("realcugan-se", 2, [-1, 1, 2]),
        ("realcugan-se", 3, [-1, -1, 3]),  # level 1 was trained for 2x only
        ("realcugan-se", 2.5, [-1, -1, 3]),  # through the network for 3x
        ("realcugan-pro", 2, [-1, -1, 3]),
    ],
)
def test_cards_with_levels_take_the_nearest_and_the_weaker_of_two(card: str, scale: float, levels: list[int]) -> None:
    recipes = [make_recipe(CATALOG, model=card, scale=scale, denoise=word) for word in WORDS]
    assert [recipe.noise for recipe in recipes] == levels
    assert {recipe.denoise for recipe in recipes} == {0.0}


def test_cards_without_levels_get_a_share_that_grows() -> None:
    assert {card.name for card in CATALOG.cards if not card.noise_levels} == LEVELLESS
    for name in LEVELLESS:
        strengths = [strength_of(_card(name), word) for word in WORDS]
        assert all(each.noise is None and 0 < each.share <= 1 for each in strengths)
        assert [(each.level, each.share) for each in strengths] == sorted({(s.level, s.share) for s in strengths})


@pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)
def test_every_card_takes_every_word_at_every_scale(card: Card) -> None:
    for word, scale in product(WORDS, (None, 1, 1.5, 2, 3, 4)):
        recipe = make_recipe(CATALOG, model=card.name, denoise=word, scale=scale)
        assert recipe.noise is not None or recipe.denoise > 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 10), (0.25, 15), (0.5, 20), (1.0, 30)])
def test_a_share_lies_between_the_two(share: float, expected: int) -> None:
    source, denoised = np.full((2, 2, 3), 10, np.uint8), np.full((2, 2, 3), 30, np.uint8)
    assert (blend(source, denoised, share) == expected).all()
    assert (blend(denoised, source, share) == 40 - expected).all()


def test_tall_pictures_are_blended_to_the_last_row() -> None:
    source, denoised = noise(1, 5, 600, 1), noise(2, 5, 600, 1)
    expected = np.rint(source * 0.75 + denoised * 0.25)
    assert np.abs(blend(source, denoised, 0.25) - expected).max() <= 1


def _card(name: str) -> Card:
    found = CATALOG.find(name)
    assert isinstance(found, Card)
    return found
