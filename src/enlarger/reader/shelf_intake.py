"""What comes onto the shelf: uploaded files take their place in incoming/, whole, and never over what is there."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from uuid import uuid4

from enlarger.books import BOOK_SUFFIXES, is_litter, is_page_name
from enlarger.errors import InputError
from enlarger.messages import msg
from enlarger.storage import (
    TEMPORARY_PREFIX,
    drop_tree,
    insist,
    make_folder,
    remove,
    rename,
    storage_errors,
    sync_folder,
)

_LABEL = f"{TEMPORARY_PREFIX}upload-"
_STALE_S = 24 * 3600


@dataclass(frozen=True)
class Arrived:
    """A file that came in, durable: `name` is its POSIX path below the folder it was received in."""

    name: str
    path: Path
    sha256: str


class Intake:
    """Places uploads in `incoming`. They are received in a hidden folder beside their place, on the same disk."""

    def __init__(self, incoming: Path) -> None:
        self._incoming = incoming

    def begin(self) -> Path:
        """A folder, not made yet, to receive one upload in; what killed servers left of others is swept."""
        for left in self._incoming.glob(f"{_LABEL}*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_S:
                    drop_tree(left)
        return self._incoming / f"{_LABEL}{uuid4().hex}"

    def place(self, folder: Path, files: Sequence[Arrived]) -> list[Path]:
        """The files of `folder` in their places: the new books and groups, in the order they came.

        A name that is taken gets a number, unless the very same files lie there already: an upload that is sent again
        changes nothing. Raises InputError when there is nothing to read among them, StorageError.
        """
        kept = [file for file in files if not is_litter(file.name)]
        if not any(is_page_name(file.name) or _is_archive(file.name) for file in kept):
            raise InputError(
                msg("None of the files is a picture or an archive."),
                msg("Choose pictures, folders of them, or archives."),
            )
        with storage_errors(self._incoming):
            make_folder(self._incoming)
            placed = [self._place(folder / top, each) for top, each in _by_top(kept).items()]
            sync_folder(self._incoming)
        return list(dict.fromkeys(placed))

    def _place(self, source: Path, files: Sequence[Arrived]) -> Path:
        """One folder or file. A picture on its own belongs to the book that incoming/ itself is."""
        placed = self._same_already(source.name, files) or self._moved(source)
        return self._incoming if placed.is_file() and is_page_name(placed.name) else placed

    def _moved(self, source: Path) -> Path:
        for name in _numbered(source.name, is_folder=source.is_dir()):
            target = self._incoming / name
            if _move(source, target):
                return target
        raise AssertionError  # the numbers do not end

    def _same_already(self, top: str, files: Sequence[Arrived]) -> Path | None:
        is_same = all(_is_same(self._incoming / file.name, file) for file in files)
        return self._incoming / top if is_same else None


def _by_top(files: Sequence[Arrived]) -> Mapping[str, list[Arrived]]:
    found: dict[str, list[Arrived]] = {}
    for file in files:
        found.setdefault(file.name.partition("/")[0], []).append(file)
    return found


def _numbered(name: str, *, is_folder: bool) -> Iterator[str]:
    yield name
    path = PurePosixPath(name)
    for number in count(2):
        yield f"{name} ({number})" if is_folder else f"{path.stem} ({number}){path.suffix}"


def _move(source: Path, target: Path) -> bool:
    """The file or folder at its new name, unless something has that name; raises OSError."""
    try:
        if source.is_dir():
            _move_folder(source, target)
        else:
            _move_file(source, target)
    except FileExistsError:
        return False
    return True


def _move_folder(source: Path, target: Path) -> None:
    if os.name == "nt":
        insist(lambda: source.rename(target))  # refuses what exists
        return
    target.mkdir()  # claims the name; renaming over an empty folder is atomic
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # somebody put a file into it at once
            raise FileExistsError from error
        with suppress(OSError):
            target.rmdir()
        raise


def _move_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        with target.open("xb"):  # claims the name
            pass
        rename(source, target)
        return
    remove(source)


def _is_same(there: Path, file: Arrived) -> bool:
    try:
        if there.stat().st_size != file.path.stat().st_size:
            return False
        with there.open("rb") as reader:
            return hashlib.file_digest(reader, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _is_archive(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in BOOK_SUFFIXES
