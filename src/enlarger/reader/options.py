"""What a person sets for reading as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from enlarger.enhance import DEFAULT_MODEL, Recipe, make_recipe
from enlarger.models import CONSERVATIVE, Card, Catalog, Choice
from enlarger.reader.look_ahead import LookAhead
from enlarger.reader.rules import Name, Treatment, in_camel_case

RENDER_FORMAT = "webp"


@in_camel_case
@dataclass(frozen=True)
class ReaderOptions:
    """The treatment where no rule decides, how results are kept (WebP), and how far ahead pages are made ready."""

    enabled: bool = True
    model: Name = DEFAULT_MODEL
    scale: Annotated[float, Field(ge=1, le=32, allow_inf_nan=False)] = 2.0
    noise: Annotated[int, Field(ge=-1, le=3)] | None = None
    tile_size: Annotated[int, Field(ge=0, le=4096)] = 0
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    lossless: bool = False
    look_ahead: LookAhead = field(default_factory=LookAhead)

    @property
    def treatment(self) -> Treatment:
        """What a page gets where rules are off."""
        return Treatment(self.model, self.scale, self.noise, self.tile_size)

    def recipe(self, treatment: Treatment, catalog: Catalog) -> Recipe:
        """Resolved; raises RecipeError or UnknownModelError."""
        found = catalog.find(treatment.model)
        named = isinstance(found, Choice)  # a MODEL_ name has said scale and noise itself
        return make_recipe(
            catalog,
            model=treatment.model,
            scale=None if named else treatment.scale,
            noise=None if isinstance(found, Choice) else level_of(treatment.noise, found),
            tile_px=treatment.tile_px,
            format=RENDER_FORMAT,
            quality=self.quality,
            lossless=self.lossless,
        )


def level_of(noise: int | None, card: Card) -> int | None:
    """A level as readers' clients count: -1 leaves the noise alone, unless it is the model's conservative level."""
    return None if noise == CONSERVATIVE and CONSERVATIVE not in card.noise_levels else noise
