"""Names that every system can hold, for books whose pages are written to a Windows disk."""

from __future__ import annotations

import re
from unicodedata import normalize

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def portable_name(name: str) -> str:
    """The POSIX path with what Windows forbids replaced by "_"; most names come back as they were."""
    return "/".join(map(_portable_part, name.split("/")))


def folded(name: str) -> str:
    """The form by which disks that ignore case and Unicode composition (Windows, macOS) tell names apart."""
    return normalize("NFD", normalize("NFD", name).casefold())


def _portable_part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part)
    part = _DEVICE.sub(lambda match: f"{match[0]}_", part) if _DEVICE.match(part) else part
    kept = part.rstrip(" .")  # Windows drops these without a word
    return kept + "_" * (len(part) - len(kept))
