"""The 84 models as sr_vulkan names and numbers them: every name followed by its twin that averages orientations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_LEVELS = ("DENOISE0X", "DENOISE1X", "DENOISE2X", "DENOISE3X")
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAIFU2X_CUNET_UP1X", _LEVELS),
    ("WAIFU2X_CUNET_UP2X", ("", *_LEVELS)),
    ("WAIFU2X_ANIME_UP2X", ("", *_LEVELS)),
    ("WAIFU2X_PHOTO_UP2X", ("", *_LEVELS)),
    ("REALCUGAN_PRO_UP2X", ("", "CONSERVATIVE", "DENOISE3X")),
    ("REALCUGAN_PRO_UP3X", ("", "CONSERVATIVE", "DENOISE3X")),
    ("REALCUGAN_SE_UP2X", ("", "CONSERVATIVE", "DENOISE1X", "DENOISE2X", "DENOISE3X")),
    ("REALCUGAN_SE_UP3X", ("", "CONSERVATIVE", "DENOISE3X")),
    ("REALCUGAN_SE_UP4X", ("", "CONSERVATIVE", "DENOISE3X")),
    ("REALSR_DF2K_UP4X", ("",)),
    ("REALESRGAN_ANIMAVIDEOV3_UP2X", ("",)),
    ("REALESRGAN_ANIMAVIDEOV3_UP3X", ("",)),
    ("REALESRGAN_ANIMAVIDEOV3_UP4X", ("",)),
    ("REALESRGAN_X4PLUS_UP4X", ("",)),
    ("REALESRGAN_X4PLUSANIME_UP4X", ("",)),
)

STEMS: tuple[str, ...] = tuple("_".join(filter(None, (family, kind))) for family, kinds in _FAMILIES for kind in kinds)
"""The 42 networks, without MODEL_ and _TTA."""

NAMES: tuple[str, ...] = tuple(f"MODEL_{stem}{tta}" for stem in STEMS for tta in ("", "_TTA"))
"""The number of a model is its place here."""

MODELS: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(NAMES)})
"""The numbers by name."""
