"""`auto` keeps within 50 dB of `exact`, on pages the calibration has never seen."""

from __future__ import annotations

import pytest
from drawings import coloured, enlarge, psnr

from enlarger.enhance import Enhancer
from enlarger.models import Card
from packaged_cards import packaged_cards

pytestmark = [pytest.mark.weights, pytest.mark.slow]  # each card costs another calibration

_HEAVY = {"realesrgan-x4plus", "realesrgan-x4plus-anime", "realsr-df2k"}
_CARDS = [pytest.param(card, id=card.name) for card in packaged_cards()]


@pytest.fixture(scope="module")
def automatic(enhancer: Enhancer) -> Enhancer:
    return Enhancer(enhancer.settings, device="auto")


@pytest.mark.parametrize("card", _CARDS)
def test_auto_is_within_50_db_of_exact(enhancer: Enhancer, automatic: Enhancer, card: Card) -> None:
    side = 48 if card.name in _HEAVY else 192
    variant = card.variant(card.default_scale)
    page = coloured(1, side, side)
    quick, how = enlarge(automatic, page, variant, exact=False)
    exact, exactly = enlarge(enhancer, page, variant)
    (quick_pass,), (exact_pass,) = how.facts.passes, exactly.facts.passes
    nearness_db = psnr(quick, exact)
    print(f"{card.name}: auto takes {quick_pass.runtime} {quick_pass.dtype}, {nearness_db:.1f} dB from fp32")
    assert exact_pass.dtype == "fp32"
    assert not quick_pass.retried
    assert nearness_db >= 50
