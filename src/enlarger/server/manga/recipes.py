"""The manga contract's parameters as a recipe and a device."""

from __future__ import annotations

from enlarger.enhance import Recipe, make_recipe
from enlarger.messages import Message, msg
from enlarger.models import Catalog, Choice
from enlarger.server.manga.wire import JobParams


def recipe_of(params: JobParams, catalog: Catalog) -> Recipe:
    """What the pages get; raises RecipeError or UnknownModelError."""
    return make_recipe(
        catalog,
        model=params.model,
        scale=_scale(params, catalog),
        denoise=params.denoise,
        format=params.output_format,
        quality=params.jpeg_quality,
        tile_px=params.tile_size or 0,
        tile_pad_px=params.tile_pad,
        batch=params.batch_size or 1,
    )


def device_of(params: JobParams) -> str:
    """The device as sessions know it."""
    return "auto" if params.device == "cuda" else params.device


def device_note(params: JobParams) -> Message | None:
    """What has to be said about the device that was asked for."""
    if params.device != "cuda":
        return None
    return msg("No runtime of this server uses CUDA: the job runs on the fastest device here.")


def _scale(params: JobParams, catalog: Catalog) -> int | None:
    """A MODEL_ name says its scale itself: only a scale that was really sent may contradict it."""
    says_itself = isinstance(catalog.find(params.model), Choice)
    return None if says_itself and "scale" not in params.model_fields_set else params.scale
