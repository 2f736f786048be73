"""Names that clients give their files, made harmless: relative, portable, not too long, each only once."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from enlarger.books import portable_name

_DRIVE = re.compile(r"[A-Za-z]:(?=/)")
_MOST_PARTS = 8
_MOST_BYTES = 180  # a part; file systems allow 255, and outputs get a suffix


def safe_upload_name(raw: str) -> str:
    """The name as a relative POSIX path that stays where it is put: no "..", no drive, no empty part."""
    name = _DRIVE.sub("", raw.replace("\\", "/"))
    parts = [part for part in (each.strip() for each in name.split("/")) if part not in ("", ".", "..")]
    safe = [_short(part) for part in portable_name("/".join(parts)).split("/") if part]
    return "/".join(safe[-_MOST_PARTS:]) or "file"


class UniqueNames:
    """Gives a name once; what comes again, also in other letters' case, gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """`name`, or "name (2).ext" … when it, or a folder of that name, is taken. A file is never a folder too."""
        path, number = PurePosixPath(name), 1
        candidate = name
        while self._is_taken(candidate):
            number += 1
            candidate = path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix()
        self._taken |= {f"{parent.as_posix().casefold()}/" for parent in PurePosixPath(candidate).parents}
        self._taken.add(candidate.casefold())
        return candidate

    def _is_taken(self, name: str) -> bool:
        path = PurePosixPath(name)
        files = {name.casefold(), *(parent.as_posix().casefold() for parent in path.parents)}
        return bool(files & self._taken) or f"{name.casefold()}/" in self._taken


def _short(part: str) -> str:
    suffix = PurePosixPath(part).suffix[:16]
    stem = part.removesuffix(suffix).encode()[: _MOST_BYTES - len(suffix.encode())].decode(errors="ignore")
    return (stem + suffix) if len(part.encode()) > _MOST_BYTES else part
