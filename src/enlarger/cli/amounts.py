"""Sizes and spans of time as people write and read them."""

from __future__ import annotations

import re

from enlarger.errors import RecipeError
from enlarger.messages import msg

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_KIB = 1024


def parse_span_s(text: str) -> float:
    """Seconds in "30d", "12h", "90m", "2w" or "45s"; raises RecipeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip().lower())
    if found is None:
        raise RecipeError(msg("“{text}” is not a span of time.", text=text), msg("Write it like 30d, 12h or 90m."))
    return float(found[1]) * _SECONDS[found[2]]


def parse_size_bytes(text: str) -> int:
    """Bytes in "5GB", "500M", "1.5 GiB" or "1000"; K, M, G and T count by 1024. Raises RecipeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    if found is None:
        raise RecipeError(msg("“{text}” is not a size.", text=text), msg("Write it like 5GB or 500MB."))
    return int(float(found[1]) * _KIB ** _BYTES[found[2]])


def format_bytes(size_bytes: float) -> str:
    """ "1.1 MB": counted by 1024, as file managers on Windows do."""
    for unit in ("B", "KB", "MB", "GB"):
        if size_bytes < _KIB:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= _KIB
    return f"{size_bytes:.1f} TB"


def format_span(seconds: float) -> str:
    """ "4.2 s", "3:05" or "1:02:03"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
