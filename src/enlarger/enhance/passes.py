"""Which networks, one after the other, bring a picture to the wanted size: the fewest passes, then the cheapest."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import prod

from enlarger.errors import RecipeError
from enlarger.messages import msg
from enlarger.models import Card, Variant

_MOST_PASSES = 5  # 2x five times is 32x, the largest scale a recipe allows


def plan_passes(card: Card, noise: int | None, factor: float) -> tuple[Variant, ...]:
    """Networks whose scales multiply to at least `factor`; what they overshoot is resampled away afterwards.

    The first pass takes the noise out, at the level asked for; the following ones leave its result alone. Where no
    network enlarges and takes noise out, one that only does the latter goes before (waifu2x's VGG7 and ResNet10).
    Smaller scales come first, because the last pass works on the most pixels. A picture that is not to
    grow gets the card's 1x denoiser, or its smallest denoising network; without noise, no pass at all.

    A card that only keeps size is asked for its network: every picture gets it. RecipeError where one is to grow.
    """
    if keeps_size_only(card):
        if factor > 1:
            raise cannot_enlarge(card)
        return (_network(card, 1, noise),)
    if factor <= 1:
        return () if noise is None else (_denoiser(card, noise),)
    if noise is not None and not any(_has(card, scale, noise) for scale in card.scales if scale > 1):
        return (_denoiser(card, noise), *plan_passes(card, None, factor))
    scales = _scales(card, noise, factor)
    return tuple(_network(card, scale, noise if index == 0 else None) for index, scale in enumerate(scales))


def plan_restoring(card: Card) -> tuple[Variant, ...]:
    """What a picture that keeps its size goes through: the card's smallest enlargement, taken back afterwards.

    Real-ESRGAN's programs do so for an output scale of 1: the network restores, whatever its scale.
    """
    return (_network(card, min(scale for scale in card.scales if scale > 1), None),)


def keeps_size_only(card: Card) -> bool:
    """Whether none of its networks enlarges: a person's own that takes noise out."""
    return max(card.scales) == 1


def cannot_enlarge(card: Card) -> RecipeError:
    """What to say where such a card is to enlarge."""
    return RecipeError(
        msg("{model} keeps the size of pictures: it does not enlarge.", model=card.name),
        msg("Ask for scale 1, or choose another model."),
    )


def _scales(card: Card, noise: int | None, factor: float) -> tuple[int, ...]:
    growing = [scale for scale in card.scales if scale > 1]
    for count in range(1, _MOST_PASSES + 1):
        enough = [
            scales
            for scales in combinations_with_replacement(growing, count)
            if prod(scales) >= factor and _can_start(card, scales, noise)
        ]
        if enough:
            return _noise_first(card, min(enough, key=prod), noise)
    return (growing[-1],) * _MOST_PASSES


def _can_start(card: Card, scales: tuple[int, ...], noise: int | None) -> bool:
    return any(_has(card, scale, noise) for scale in scales)


def _noise_first(card: Card, scales: tuple[int, ...], noise: int | None) -> tuple[int, ...]:
    first = next(scale for scale in scales if _has(card, scale, noise))
    rest = list(scales)
    rest.remove(first)
    return (first, *rest)


def _has(card: Card, scale: int, noise: int | None) -> bool:
    return noise in card.noises(scale) or None not in card.noises(scale)


def _network(card: Card, scale: int, noise: int | None) -> Variant:
    levels = card.noises(scale)
    return card.variant(scale, noise if noise in levels else levels[0])


def _denoiser(card: Card, noise: int) -> Variant:
    return next(card.variant(scale, noise) for scale in card.scales if noise in card.noises(scale))
