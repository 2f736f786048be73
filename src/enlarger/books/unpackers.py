"""Programs that unpack rar: which there are on this machine, and what each says when told to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from enlarger.errors import BookError
from enlarger.messages import Message, msg

_CHUNK_BYTES = 1 << 18
_PART = re.compile(r"\.part([0-9]{1,5})\.(?:rar|cbr)\Z", re.IGNORECASE)
_SILENT_S = 60.0
_NO_WINDOW = 0x08000000  # of Windows


@dataclass(frozen=True)
class Unpacker:
    """A program, and the arguments by which it writes all of an archive's members to its output, one after another."""

    program: str
    arguments: tuple[str, ...]

    def output(self, archive: Path) -> Iterator[bytes]:
        """What the program writes, in chunks. One that is silent for a minute is ended, and so is one not read to
        its end; it says nothing of failure, which shows in the checksums of what it wrote."""
        process = subprocess.Popen(
            [self.program, *self.arguments, str(archive.absolute())],  # absolute: never taken for an option
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=_NO_WINDOW if os.name == "nt" else 0,
        )
        assert process.stdout is not None
        with process:
            try:
                while chunk := _read(process, _CHUNK_BYTES):
                    yield chunk
            finally:
                process.kill()


def unpackers() -> tuple[Unpacker, ...]:
    """Those found here, the one that knows most first: no free one reads every rar."""
    found = {name: shutil.which(name, path=_search_path()) for name in _ARGUMENTS}
    return tuple(
        Unpacker(program, _ARGUMENTS[name])
        for name, program in found.items()
        if program and (not name.startswith("7z") or _knows_rar(program))
    )


def is_later_part(name: str) -> bool:
    """Whether a file's name is that of the second or a further part of a rar, which is read with the first."""
    numbered = _PART.search(name)
    return numbered is not None and int(numbered[1]) > 1


def no_unpacker(archive: Path) -> BookError:
    """The error for a rar that nothing here can unpack, with what helps on this system."""
    return BookError(msg("{path}: there is no program here that unpacks rar.", path=archive), _remedy())


# in this order: RARLAB's own, 7-Zip with its code, then two that were written anew and have gaps
_ARGUMENTS = {
    "unrar": ("p", "-inul", "-p-", "--"),
    "rar": ("p", "-inul", "-p-", "--"),
    "7zz": ("e", "-so", "-bb0", "-p", "--"),
    "7z": ("e", "-so", "-bb0", "-p", "--"),
    "unar": ("-q", "-o", "-", "-p", ""),
    "bsdtar": ("-x", "--to-stdout", "-f"),
}


def _remedy() -> Message:
    if sys.platform == "win32":
        return msg("Install 7-Zip (7-zip.org) or WinRAR, or repack the archive as zip or cbz.")
    if sys.platform == "darwin":
        return msg("Install one, for example with: brew install sevenzip; or repack the archive as zip or cbz.")
    return msg("Install one, for example with: apt install unar libarchive-tools; or repack the archive as zip or cbz.")


def _search_path() -> str:
    """PATH, and where installers leave these programs without adding to it."""
    places = [os.environ.get("PATH", os.defpath)]
    for variable in ("ProgramFiles", "ProgramFiles(x86)", "ProgramW6432"):
        if folder := os.environ.get(variable):
            places += [str(Path(folder) / "7-Zip"), str(Path(folder) / "WinRAR")]
    if sys.platform == "darwin":
        places += ["/opt/homebrew/bin", "/usr/local/bin"]
    return os.pathsep.join(places)


@lru_cache
def _knows_rar(program: str) -> bool:
    """Whether this 7-Zip was built with rar: Debian's was not."""
    try:
        listed = subprocess.run([program, "i"], capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"Rar" in listed.stdout


def _read(process: subprocess.Popen[bytes], size: int) -> bytes:
    assert process.stdout is not None
    watch = threading.Timer(_SILENT_S, process.kill)
    watch.daemon = True
    watch.start()
    try:
        return os.read(process.stdout.fileno(), size)
    finally:
        watch.cancel()
