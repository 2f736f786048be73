"""Enlarger: local-first image enlarging for manga pages and photographs.

import enlarger
enlarger.upscale("page.jpg", scale=2).save("page_2x.jpg")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enlarger.enhance import Upscaled, release, upscale
    from enlarger.errors import EnlargerError
    from enlarger.settings import Settings

__version__ = "0.1.0"
__all__ = ["EnlargerError", "Settings", "Upscaled", "__version__", "release", "upscale"]

_HOMES = {
    "EnlargerError": "enlarger.errors",
    "Settings": "enlarger.settings",
    "Upscaled": "enlarger.enhance",
    "release": "enlarger.enhance",
    "upscale": "enlarger.enhance",
}


def __getattr__(name: str) -> Any:
    """Public names are loaded when first asked for: `enlarger --help` must not wait for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
