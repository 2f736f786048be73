"""A recipe from what earlier programs say: a model's number, folder or MODEL_ name, with the scale beside it."""

from __future__ import annotations

from dataclasses import replace

from enlarger.enhance import Recipe, make_recipe
from enlarger.models import CONSERVATIVE, Card, Catalog, Choice

_TILES_PX = (32, 4096)


def recipe_for(
    catalog: Catalog,
    *,
    model: int | str,
    scale: float = 2.0,
    size: tuple[int, int] = (0, 0),
    noise: int | None = None,
    tile_px: int = 0,
    format: str = "webp",  # noqa: A002 - the word its users know
    quality: int = 90,
    lossless: bool = False,
    exact_size: bool = False,
) -> Recipe:
    """Raises RecipeError and UnknownModelError.

    size: (width, height) of the box to fit in, instead of the scale; 0 is free. noise: -1 leaves it alone, but for
    models that have a conservative level. A MODEL_ name says the noise level and the averaging over orientations; its
    scale is only that of its network, since these programs ask for a scale beside it.
    """
    found = catalog.find(model)
    card = found.card if isinstance(found, Choice) else found
    width, height = size
    recipe = make_recipe(
        catalog,
        model=card.name,
        scale=None if width or height else scale,
        noise=found.variant.noise if isinstance(found, Choice) else _level(noise, card),
        width=max(0, width),
        height=max(0, height),
        tta=isinstance(found, Choice) and found.tta,
        format=format,
        quality=quality,
        lossless=lossless,
        tile_px=_tile(tile_px),
    )
    return replace(recipe, exact_size=True) if exact_size else recipe


def _level(noise: int | None, card: Card) -> int | None:
    return None if noise == CONSERVATIVE and CONSERVATIVE not in card.noise_levels else noise


def _tile(tile_px: int) -> int:
    """Within what there is: these programs ask for any number, and 0 or less for none."""
    return 0 if tile_px <= 0 else min(max(tile_px, _TILES_PX[0]), _TILES_PX[1])
