"""What a client may ask for, by JSON, form or query, and the recipe it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from enlarger.enhance import DEFAULT_MODEL, Recipe, make_recipe
from enlarger.jobs import Priority
from enlarger.models import Catalog, parse_noise
from enlarger.server.v1.wire import Container, PriorityName, Wire

_NO_NUL = r"^[^\x00]*$"
OutputFormat = Literal["same", "jpg", "jpeg", "png", "webp", "avif", "heic", "jxl", "tif", "tiff", "bmp", "gif"]


class RecipeOptions(Wire):
    """Everything that decides the pixels; what is left out is the model's own choice."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(
        DEFAULT_MODEL, max_length=200, pattern=_NO_NUL, description="A model's name, an alias or a MODEL_ name."
    )
    scale: float | None = Field(None, ge=1, le=32, description="Enlargement; without it the model's own, mostly 2.")
    noise: str | int | None = Field(None, description="Noise level: none, conservative, 0, 1, 2, 3.", examples=["1"])
    denoise: Literal["low", "medium", "high"] | None = Field(None, description="What every model understands.")
    width: int = Field(0, ge=0, le=1_000_000, description="The box the output fits in, pixels; 0: free.")
    height: int = Field(0, ge=0, le=1_000_000, description="The box the output fits in, pixels; 0: free.")
    tta: bool = Field(False, description="Average over the eight orientations: eight times the work.")
    format: OutputFormat = Field("same", description="Of the output.")
    quality: int = Field(90, ge=1, le=100, description="Of JPEG, and of WebP, AVIF, HEIC and JPEG XL.")
    lossless: bool = Field(False, description="WebP, AVIF, HEIC and JPEG XL without loss.")
    precision: Literal["auto", "exact"] = Field("auto", description="exact: fp32; auto: within 50 dB of it.")
    tile: int = Field(0, ge=0, le=4096, description="A forced tile side, pixels from 32; 0: planned.")
    tile_pad: int | None = Field(None, ge=0, le=128, description="Surroundings of a tile, pixels; null: as measured.")
    batch: int = Field(1, ge=1, le=16, description="Most tiles in one call; the pixels are the same.")

    def recipe(self, catalog: Catalog) -> Recipe:
        """Resolved; raises RecipeError or UnknownModelError."""
        return make_recipe(
            catalog,
            model=self.model,
            scale=self.scale,
            noise=None if self.noise is None else parse_noise(str(self.noise)),
            denoise=self.denoise,
            width=self.width,
            height=self.height,
            tta=self.tta,
            format=self.format,
            quality=self.quality,
            lossless=self.lossless,
            precision=self.precision,
            tile_px=self.tile,
            tile_pad_px=self.tile_pad,
            batch=self.batch,
        )


class UpscaleOptions(RecipeOptions):
    """One picture, now."""

    device: str = Field(
        "auto", max_length=100, pattern=_NO_NUL, description="auto, cpu, or as a worker names it: openvino:cpu."
    )
    priority: PriorityName = Field("interactive", description="Who is served first.")


class JobOptions(RecipeOptions):
    """A job, whatever its pages come from."""

    title: str = Field(
        "", max_length=500, pattern=_NO_NUL, description="Without it the source's name.", examples=["Berserk"]
    )
    volume: str = Field("", max_length=500, pattern=_NO_NUL, examples=["01"])
    device: str = Field(
        "auto", max_length=100, pattern=_NO_NUL, description="auto, cpu, or as a worker names it: openvino:cpu."
    )
    priority: PriorityName = Field("volume", description="Who is served first.")
    packs: bool = Field(True, description="Make an archive of the pages at the end.")
    container: Container = Field("zip", description="What the archive is called; cbz is the same for comic readers.")


class JobRequest(JobOptions):
    """A job over what the server can see."""

    path: str = Field(
        min_length=1,
        max_length=4096,
        pattern=_NO_NUL,
        description="A folder, archive or picture: below the storage root or its `incoming`, or in an allowed folder.",
        examples=["berserk-01.cbz"],
    )
    recursive: bool = Field(True, description="Of a folder, also the pictures of the folders below it.")


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Form fields and query parameters as options: an empty one was not given."""
    return {name: value for name, value in fields.items() if value != ""}


def priority_of(name: PriorityName) -> Priority:
    """The priority by its name."""
    return Priority[name.upper()]
