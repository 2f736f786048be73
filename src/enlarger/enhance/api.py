"""`enlarger.upscale`: one picture from Python, with models that stay resident between calls."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger.cancel import CancelToken
from enlarger.enhance.cache import RenderCache
from enlarger.enhance.enhancer import Enhancer
from enlarger.enhance.meter import Progress
from enlarger.enhance.recipe import DEFAULT_MODEL, Precision, make_recipe
from enlarger.enhance.rendering import Rendering, Source
from enlarger.settings import Settings
from enlarger.storage import write_atomic


@dataclass(frozen=True)
class Upscaled:
    """An enlarged picture: the file, its format ("jpeg", "png", …), size in pixels, and how it was made."""

    data: bytes
    format: str
    width: int
    height: int
    facts: Mapping[str, Any]

    def save(self, path: str | Path) -> Path:
        """Write the file whole or not at all; raises StorageError. The suffix does not change the format."""
        write_atomic(Path(path), self.data)
        return Path(path)


def upscale(
    picture: str | Path | bytes | bytearray | memoryview,
    *,
    model: str = DEFAULT_MODEL,
    scale: float | None = None,
    noise: int | None = None,
    denoise: str | None = None,
    width: int = 0,
    height: int = 0,
    tta: bool = False,
    tile: int = 0,
    format: str = "same",  # noqa: A002 - the word its users know
    quality: int = 90,
    lossless: bool = False,
    device: str = "auto",
    precision: Precision = "auto",
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    settings: Settings | None = None,
) -> Upscaled:
    """Enlarge one picture, a path or the bytes of a file; a render that is in the cache is returned at once.

    model: a card, alias or MODEL_ name. scale: 1..32. noise: level of the card, None for none. denoise:
    "low", "medium" or "high", which every card understands, instead of a level. width, height:
    the box in pixels to fit in, instead of a scale. tile: forced tile side in pixels. device: "auto", "cpu",
    "openvino", "ncnn". precision: "exact" is fp32, "auto" within 50 dB of it.
    progress: called with the share done, 0..1. cancel: read between tiles; `threading.Event` will do.

    Raises EnlargerError: RecipeError, UnknownModelError, PictureError, WeightsMissingError, FetchError,
    RuntimeFailedError, OutOfMemoryError, StorageError, CancelledError.
    """
    enhancer, cache = _resident(settings or Settings(), device)
    recipe = make_recipe(
        enhancer.catalog,
        model=model,
        scale=scale,
        noise=noise,
        denoise=denoise,
        width=width,
        height=height,
        tta=tta,
        tile_px=tile,
        format=format,
        quality=quality,
        lossless=lossless,
        precision=precision,
    )
    source = Source.of_file(Path(picture)) if isinstance(picture, str | Path) else Source.of_bytes(bytes(picture))
    render = Rendering(enhancer, cache, recipe).render(source, progress=progress, cancel=cancel)
    output_width, output_height = render.facts["size"]
    return Upscaled(render.path.read_bytes(), render.format, output_width, output_height, render.facts)


def release() -> None:
    """Close the models that `upscale` keeps resident; the next call opens them anew."""
    with _residents_lock:
        while _residents:
            _residents.popitem()[1][0].close()


_residents: dict[tuple[Settings, str], tuple[Enhancer, RenderCache]] = {}
_residents_lock = threading.Lock()


def _resident(settings: Settings, device: str) -> tuple[Enhancer, RenderCache]:
    with _residents_lock:
        if (settings, device) not in _residents:
            cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
            _residents[settings, device] = (Enhancer(settings, device=device), cache)
        return _residents[settings, device]
