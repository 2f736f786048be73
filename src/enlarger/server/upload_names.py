"""Names that clients give their files, made harmless: relative, portable, not too long, each only once."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from enlarger.books import portable_name, short_name

_DRIVE = re.compile(r"[A-Za-z]:(?=/)")
_MOST_PARTS = 8
_MOST_BYTES = 180  # a part; file systems allow 255, and outputs get a suffix


def safe_upload_name(raw: str) -> str:
    """The name as a relative POSIX path that stays where it is put: no "..", no drive, no empty part."""
    name = _DRIVE.sub("", raw.replace("\\", "/"))
    parts = [part for part in (each.strip() for each in name.split("/")) if part not in ("", ".", "..")]
    return short_name(portable_name("/".join(parts[-_MOST_PARTS:])), _MOST_BYTES) or "file"


class UniqueNames:
    """Gives a name once; what comes again, also in other letters' case, gets a number. No file is a folder too."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._numbers: dict[str, int] = {}  # where counting goes on: ten thousand files may have one name

    def take(self, name: str) -> str:
        """`name`, or "name (2).ext" … when it is taken; its folders likewise when files have their names."""
        *folders, last = name.split("/")
        folder = ""
        for part in folders:
            folder = f"{self._numbered(folder + part, 1, self._files)}/"
            self._folders.add(folder[:-1].casefold())
        wanted = folder + last
        file = self._numbered(wanted, self._numbers.get(wanted.casefold(), 1), self._files, self._folders)
        self._files.add(file.casefold())
        return file

    def _numbered(self, name: str, number: int, *taken: set[str]) -> str:
        path, candidate = PurePosixPath(name), name
        while any(candidate.casefold() in names for names in taken):
            number += 1
            candidate = path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix()
        self._numbers[name.casefold()] = number
        return candidate
