"""A shelf over folders of its own, and tiny pictures and archives to put on it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from PIL import Image

from enlarger.reader import ReaderStore, Shelf
from enlarger.settings import Settings


class Place:
    """Folders for a shelf: <folder>/storage/incoming, and what the settings say."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.incoming = folder / "storage" / "incoming"
        self.incoming.mkdir(parents=True)
        folders = {"data_dir": folder / "data", "cache_dir": folder / "cache", "storage_dir": folder / "storage"}
        self.settings = Settings(**{**folders, **settings})
        self.store = ReaderStore.of(self.settings)
        self.shelf = Shelf(self.settings, self.store)

    def made(self, name: str, pages: Iterable[str] = ("1.jpg",)) -> Path:
        """A folder, anywhere below the place, with empty files of these names."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for page in pages:
            (folder / page).write_bytes(b"")
        return folder

    def book(self, name: str, pages: Mapping[str, bytes]) -> str:
        """An archive in incoming/; its id."""
        return self.shelf.id_of(write_archive(self.incoming / name, pages))

    def close(self) -> None:
        self.shelf.close()
        self.store.close()


def picture(width: int = 24, height: int = 36, kind: str = "PNG", *, colour: int = 100, **options: Any) -> bytes:
    """A small picture's file."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour, 20, 200)).save(buffer, kind, **options)
    return buffer.getvalue()


def write_archive(path: Path, members: Mapping[str, bytes]) -> Path:
    """A zip with these members, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with ZipFile(temporary, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    temporary.replace(path)
    return path
