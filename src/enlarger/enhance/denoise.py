"""What low, medium and high denoise mean for a card: a noise level of its own, or a share of a denoised picture.

Measured in docs/decisions/0012-what-denoise-means.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from enlarger.errors import RecipeError
from enlarger.messages import msg
from enlarger.models import Card
from enlarger.pictures import Pixels

DENOISER = "waifu2x-cunet"  # its 1x networks: the only ones of the catalogue that take noise out and nothing else
_ROWS = 256  # blended at once: floats take four times what pixels take


@dataclass(frozen=True)
class Strength:
    """noise: a level of the card's own networks. share: of a picture denoised at `level`, blended into the source."""

    noise: int | None = None
    share: float = 0.0
    level: int = 0


_OWN_LEVELS: Mapping[str, int] = {"low": 0, "medium": 1, "high": 2}
_BLENDS: Mapping[str, Strength] = {
    "low": Strength(share=0.75, level=0),
    "medium": Strength(share=0.75, level=1),
    "high": Strength(share=1.0, level=2),
}


def strength_of(card: Card, word: str, scale: float | None = None) -> Strength:
    """What "low", "medium" or "high" means for the card, at this scale if its levels differ there.

    The card's nearest level, the weaker of two as near; a blend where its networks have no levels. Raises RecipeError.
    """
    if word not in _OWN_LEVELS:
        raise RecipeError(
            msg("“{word}” is not a strength of denoising.", word=word),
            msg("Choose one of: {names}.", names=", ".join(_OWN_LEVELS)),
        )
    if not card.noise_levels:
        return _BLENDS[word]
    here = [level for level in card.noises(ceil(scale or card.default_scale)) if level is not None]
    wanted = _OWN_LEVELS[word]
    return Strength(noise=min(here or card.noise_levels, key=lambda level: (abs(level - wanted), level)))


def blend(source: Pixels, denoised: Pixels, share: float) -> Pixels:
    """So much of `denoised`, 0..1, in `source`, both (H, W, C)."""
    if share == 1:
        return denoised
    blended = np.empty_like(source)
    for top in range(0, len(source), _ROWS):
        rows = slice(top, top + _ROWS)
        step = denoised[rows].astype(np.float32) - source[rows]
        blended[rows] = np.rint(source[rows] + np.float32(share) * step)
    return blended
