"""Names that every system can hold, for books whose pages are written to a Windows disk, and what paths mean there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from unicodedata import normalize

MOST_NAME_BYTES = 240
"""Of one name in UTF-8. Disks take 255: bytes on Linux and macOS, UTF-16 units on Windows."""
_MOST_SUFFIX_BYTES = 16
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE)


def portable_name(name: str) -> str:
    """The POSIX path with what Windows forbids replaced by "_"; most names come back as they were."""
    return "/".join(map(_portable_part, name.split("/")))


def short_name(name: str, most_bytes: int = MOST_NAME_BYTES) -> str:
    """The POSIX path with every part short enough for any disk; a cut one ends in a digest of all of it."""
    return "/".join(_short_part(part, most_bytes) for part in name.split("/"))


def is_opened_as_named(path: PurePath) -> bool:
    """Whether a system opens just the file that the path names.

    Windows takes "CON" for a device, "a.png:b" for a stream within a file, "a.png." for "a.png", "C:a.png" for whatever
    folder that drive is at, and "\\a.png" for the top of whatever drive is meant.
    """
    if not isinstance(path, PureWindowsPath):
        return True
    names = path.parts[1:] if path.anchor else path.parts
    is_whole = path.is_absolute() or not path.anchor
    return is_whole and all(_portable_part(name) == name for name in names)


def is_elsewhere(path: PurePath, folders: Iterable[PurePath]) -> bool:
    """Whether a Windows path is on another machine, or names a device, and none of the folders is on that share.

    Only to ask whether such a file exists would tell a stranger's machine who asks.
    """
    drive = path.drive.lower()
    return drive.startswith("\\\\") and all(drive != folder.drive.lower() for folder in folders)


def folded(name: str) -> str:
    """The form by which disks that ignore case and Unicode composition (Windows, macOS) tell names apart."""
    return normalize("NFD", normalize("NFD", name).casefold())


def _short_part(part: str, most_bytes: int) -> str:
    if len(_encoded(part)) <= most_bytes:
        return part
    suffix = PurePosixPath(part).suffix
    if len(_encoded(suffix)) > _MOST_SUFFIX_BYTES:
        suffix = ""
    ending = f"~{hashlib.sha256(_encoded(part)).hexdigest()[:8]}{suffix}"
    kept = _encoded(part)[: most_bytes - len(_encoded(ending))].decode(errors="ignore")
    return f"{kept.rstrip(' .')}{ending}"


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # a lone surrogate, which a damaged directory may hold


def _portable_part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part)
    part = _DEVICE.sub(lambda match: f"{match[0]}_", part) if _DEVICE.match(part) else part
    kept = part.rstrip(" .")  # Windows drops these without a word
    return kept + "_" * (len(part) - len(kept))
