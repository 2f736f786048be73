"""Any size in the fewest passes of the networks a card has."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.enhance import plan_passes
from enlarger.models import Card, load_catalog

CARDS = load_catalog().cards
CARD = {card.name: card for card in CARDS}


def scales(card: str, noise: int | None, factor: float) -> list[tuple[int, int | None]]:
    return [(v.scale, v.noise) for v in plan_passes(CARD[card], noise, factor)]


@pytest.mark.parametrize(
    ("card", "noise", "factor", "passes"),
    [
        ("waifu2x-cunet", None, 2, [(2, None)]),
        ("waifu2x-cunet", 1, 4, [(2, 1), (2, None)]),
        ("waifu2x-cunet", 2, 1, [(1, 2)]),
        ("waifu2x-upconv7-anime", 2, 1, [(2, 2)]),
        ("waifu2x-cunet", None, 0.5, []),
        ("realcugan-se", None, 3, [(3, None)]),
        ("realcugan-se", None, 2.5, [(3, None)]),
        ("realcugan-se", 1, 3, [(2, 1), (2, None)]),  # level 1 was trained for 2x only
        ("realcugan-se", None, 6, [(2, None), (3, None)]),
        ("realcugan-se", 3, 8, [(2, 3), (4, None)]),
        ("realesr-animevideov3", None, 16, [(4, None), (4, None)]),
        ("realesrgan-x4plus", None, 2, [(4, None)]),
        ("waifu2x-vgg7", None, 2, [(2, None)]),
        ("waifu2x-vgg7", 2, 1, [(1, 2)]),
        ("waifu2x-vgg7", 2, 2, [(1, 2), (2, None)]),  # what enlarges takes no noise out
        ("waifu2x-resnet10", 0, 3, [(1, 0), (2, None), (2, None)]),
    ],
)
def test_passes(card: str, noise: int | None, factor: float, passes: list[tuple[int, int | None]]) -> None:
    assert scales(card, noise, factor) == passes


@given(st.sampled_from(CARDS), st.floats(1.01, 32))
def test_passes_reach_the_size_and_fewer_would_not(card: Card, factor: float) -> None:
    passes = plan_passes(card, None, factor)
    assert prod(v.scale for v in passes) >= factor
    fewer = product([scale for scale in card.scales if scale > 1], repeat=len(passes) - 1)
    assert all(prod(each) < factor for each in fewer)
