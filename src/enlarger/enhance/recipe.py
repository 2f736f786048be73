"""A recipe: everything that decides the output's pixels, fully resolved, and the key it gives a render."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Literal

from enlarger import pictures
from enlarger.enhance.denoise import Strength, strength_of
from enlarger.enhance.passes import cannot_enlarge, keeps_size_only
from enlarger.errors import RecipeError
from enlarger.messages import msg
from enlarger.models import Card, Catalog, Choice

PIPELINE_VERSION = 5  # raised whenever the same recipe gives other pixels or other bytes
DEFAULT_MODEL = "waifu2x-cunet"
MAX_SCALE = 32.0
FORMATS = ("same", *pictures.FORMATS)

Precision = Literal["auto", "exact"]


@dataclass(frozen=True)
class Recipe:
    """What is done to a picture, whatever its size, and in what portions.

    noise: level of the card or None. scale: enlargement, 1..32, used when `width` and `height` are 0.
    width, height: the box in pixels that the output fits in, its shape kept; 0 = free.
    tta: average over the eight orientations. format: "same" keeps the picture's own. quality: 1..100.
    precision: "exact" is fp32, "auto" within 50 dB of it. tile_px: a forced tile side, 0 = planned.
    denoise: share, 0..1, of a denoised picture in what enters the network, 0 = none; for cards without noise levels.
    denoise_level: of the denoiser, 0..3. tile_pad_px: surroundings of a tile, None = as the network was measured.
    batch: most tiles computed in one call; the pixels are the same.
    exact_size: `width` and `height`, both given, are the output's own, whatever becomes of its shape.
    """

    model: str
    noise: int | None
    scale: float
    width: int = 0
    height: int = 0
    tta: bool = False
    format: str = "same"
    quality: int = 90
    lossless: bool = False
    precision: Precision = "auto"
    tile_px: int = 0
    denoise: float = 0.0
    denoise_level: int = 0
    tile_pad_px: int | None = None
    batch: int = 1
    exact_size: bool = False

    @property
    def keeps_size(self) -> bool:
        """Whether every picture comes out as large as it went in, restored."""
        return self.scale == 1 and not (self.width or self.height)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) in pixels of what becomes of a picture of this size; never below 1."""
        if self.exact_size:
            return self.width, self.height
        factor = self.factor(width, height)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def factor(self, width: int, height: int) -> float:
        """The enlargement for a picture of this size."""
        bounds = [target / side for target, side in ((self.width, width), (self.height, height)) if target]
        return max(bounds) if self.exact_size else min(bounds, default=self.scale)

    def as_dict(self) -> dict[str, Any]:
        """The canonical form, as JSON keeps it."""
        return asdict(self)

    def key(self, picture_sha256: str, graph_digests: Iterable[str]) -> str:
        """The name of the render of one picture: same bytes, recipe, graphs and pipeline, same key.

        But for `batch`: a runtime gives the same bits however many tiles it takes at once.
        """
        recipe = self.as_dict()
        del recipe["batch"]
        if not self.exact_size:
            del recipe["exact_size"]  # so that keys from before there was a choice stay what they are
        parts = {
            "picture": picture_sha256,
            "recipe": recipe,
            "graphs": list(graph_digests),
            "pipeline": PIPELINE_VERSION,
        }
        return hashlib.sha256(_canonical(parts)).hexdigest()


def make_recipe(
    catalog: Catalog,
    *,
    model: str = DEFAULT_MODEL,
    scale: float | None = None,
    noise: int | None = None,
    denoise: str | None = None,
    width: int = 0,
    height: int = 0,
    tta: bool = False,
    format: str = "same",  # noqa: A002 - the word its users know
    quality: int = 90,
    lossless: bool = False,
    precision: Precision = "auto",
    tile_px: int = 0,
    tile_pad_px: int | None = None,
    batch: int = 1,
) -> Recipe:
    """Resolve what a person asked for; raises RecipeError or UnknownModelError.

    A MODEL_ name fixes scale, noise and TTA; a card's name leaves them free. Without a scale: 2x where
    the card has a network for it, else the card's largest. denoise: "low", "medium" or "high", which every card
    understands in its own way; a MODEL_ name of a card with noise levels has said it already.
    """
    found = catalog.find(model)
    card = found.card if isinstance(found, Choice) else found
    default_scale = card.default_scale
    strength = Strength() if denoise is None else strength_of(card, denoise, scale)
    if noise is not None and denoise is not None:
        raise RecipeError(
            msg("A noise level and a strength of denoising contradict each other."),
            msg("Give --noise or --denoise."),
        )
    if scale is not None and (width or height):
        raise RecipeError(
            msg("A scale and a width or height contradict each other."), msg("Give --scale, or --width and --height.")
        )
    if isinstance(found, Choice):
        catalog.choose(model, scale=_whole(scale), noise=noise)  # a contradiction is an error there
        noise, tta = found.variant.noise, tta or found.tta
        default_scale = found.variant.scale
    elif strength.noise is not None:
        noise = strength.noise
    recipe = Recipe(
        model=card.name,
        noise=_resolve_noise(card, noise),
        scale=float(default_scale if scale is None else scale),
        width=width,
        height=height,
        tta=tta,
        format=pictures.format_named(format),
        quality=quality,
        lossless=lossless,
        precision=precision,
        tile_px=tile_px,
        denoise=strength.share,
        denoise_level=strength.level,
        tile_pad_px=tile_pad_px,
        batch=batch,
    )
    _check(recipe, card)
    return recipe


def _resolve_noise(card: Card, noise: int | None) -> int | None:
    """The level as the card counts; RecipeError when no scale of the card has it."""
    for scale in card.scales[:-1]:
        with suppress(RecipeError):
            return card.variant(scale, noise).noise
    return None if noise is None else card.variant(card.scales[-1], noise).noise


def _whole(scale: float | None) -> int | None:
    return None if scale is None else ceil(scale)  # so that 2.5 contradicts a 2x network


def _check(recipe: Recipe, card: Card) -> None:
    _in_range("--scale", recipe.scale, 1.0, MAX_SCALE)
    _in_range("--quality", recipe.quality, 1, 100)
    _in_range("--width", recipe.width, 0, 1_000_000)
    _in_range("--height", recipe.height, 0, 1_000_000)
    if recipe.tile_px:
        _in_range("--tile", recipe.tile_px, 32, 4096)
    _in_range("tile_pad_px", recipe.tile_pad_px or 0, 0, 128)
    _in_range("batch", recipe.batch, 1, 16)
    if recipe.format not in FORMATS:
        raise RecipeError(
            msg("“{format}” is not an output format.", format=recipe.format),
            msg("Choose one of: {names}.", names=", ".join(FORMATS)),
        )
    if recipe.scale > 1 and keeps_size_only(card):
        raise cannot_enlarge(card)
    if recipe.keeps_size and recipe.noise is None and card.noise_levels:
        raise RecipeError(
            msg("Scale 1 without noise reduction would change nothing."),
            msg("Give --noise, or a larger --scale."),
        )


def _in_range(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RecipeError(
            msg("{option} {value} is out of range.", option=option, value=f"{value:g}"),
            msg("Choose a value from {low} to {high}.", low=f"{low:g}", high=f"{high:g}"),
        )


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
