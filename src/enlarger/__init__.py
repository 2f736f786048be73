"""Enlarger: local-first image enlarging for manga pages and photographs.

import enlarger
enlarger.upscale("page.jpg", scale=2).save("page_2x.jpg")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enlarger.compat import (
        UpscaleManager,
        get_available_models,
        get_model_id,
        is_available,
        upscale_image,
        upscale_image_async,
    )
    from enlarger.enhance import Upscaled, release, upscale
    from enlarger.errors import EnlargerError
    from enlarger.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "EnlargerError",
    "Settings",
    "UpscaleManager",
    "Upscaled",
    "__version__",
    "get_available_models",
    "get_model_id",
    "is_available",
    "release",
    "upscale",
    "upscale_image",
    "upscale_image_async",
]

_HOMES = {
    "EnlargerError": "enlarger.errors",
    "Settings": "enlarger.settings",
    "UpscaleManager": "enlarger.compat",
    "Upscaled": "enlarger.enhance",
    "get_available_models": "enlarger.compat",
    "get_model_id": "enlarger.compat",
    "is_available": "enlarger.compat",
    "release": "enlarger.enhance",
    "upscale": "enlarger.enhance",
    "upscale_image": "enlarger.compat",
    "upscale_image_async": "enlarger.compat",
}


def __getattr__(name: str) -> Any:
    """Public names are loaded when first asked for: `enlarger --help` must not wait for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
