"""Thumbnails, covers, and what browsers cannot show made showable: made once, the oldest use dropped first."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from enlarger.errors import StorageError
from enlarger.pictures import decode, encode, preview
from enlarger.storage import TEMPORARY_PREFIX, remove, write_atomic

WIDTHS_PX = (160, 240, 320, 480, 640, 960)
MOST_BYTES = 512 * 1024**2
_MOST_MEGAPIXELS = 100.0  # of a page: the server has less memory to spare than a worker
_TALLEST = 3  # times the width: long strips are shown whole, but small
_AT_ONCE = 2  # large pages in memory
_SHOWN_QUALITY = 92
_FORM = 1  # of what is made; another one when it changes
_TOUCH_S = 3600.0


class Thumbnails:
    """Thread-safe. `folder` may be deleted at any time."""

    def __init__(self, folder: Path, max_megapixels: float, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._max_megapixels = min(max_megapixels, _MOST_MEGAPIXELS)
        self._most_bytes = most_bytes
        self._making = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._held_bytes: int | None = None  # counted at the first write, then kept up to date

    def thumbnail(self, tag: str, width_px: int, *, name: str, read: Callable[[], bytes]) -> bytes:
        """A WebP file at least so wide, if the page is; `tag` is `thumbnail_tag`'s, `read` gives the page's bytes.

        Raises what `read` raises, and PictureError for a page that cannot be decoded or is too large.
        """
        width = _step(width_px)

        def made() -> bytes:
            box = {"width_px": width, "height_px": width * _TALLEST}
            return preview(read(), name=name, max_megapixels=self._max_megapixels, **box)

        return self._kept_or(tag, made)

    def shown(self, page_tag: str, *, name: str, read: Callable[[], bytes]) -> bytes:
        """A page whose format browsers do not show, in one that they do: WebP where it fits. Raises as `thumbnail`."""

        def made() -> bytes:
            picture = decode(read(), name=name, max_megapixels=self._max_megapixels)
            return encode(picture, format="webp", quality=_SHOWN_QUALITY).data

        return self._kept_or(shown_tag(page_tag), made)

    def _kept_or(self, tag: str, make: Callable[[], bytes]) -> bytes:
        path = self._folder / tag[:2] / tag
        if (kept := _kept(path)) is not None:
            return kept
        with self._making:
            if (kept := _kept(path)) is not None:  # somebody else was faster
                return kept
            made = make()
        with suppress(StorageError):  # a full disk costs making it again, not the picture
            write_atomic(path, made)
            self._make_room(len(made))
        return made

    def _make_room(self, added_bytes: int) -> None:
        with self._lock:
            if self._held_bytes is None:
                self._held_bytes = sum(size for _, size, _ in self._entries())
            else:
                self._held_bytes += added_bytes
            if self._held_bytes > self._most_bytes:
                self._held_bytes = self._drop_oldest(self._most_bytes * 9 // 10)  # a tenth: not at every thumbnail

    def _drop_oldest(self, most_bytes: int) -> int:
        entries = sorted(self._entries())
        held_bytes = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if held_bytes <= most_bytes:
                break
            with suppress(OSError):
                remove(path)
                held_bytes -= size
        return held_bytes

    def _entries(self) -> list[tuple[float, int, Path]]:
        """(last use, bytes, file) of each, what a killed process left half written among them."""
        found = []
        for path in self._folder.glob("??/*"):
            with suppress(OSError):
                stat = path.stat()
                if path.name.startswith(TEMPORARY_PREFIX) and time.time() - stat.st_mtime < _TOUCH_S:
                    continue  # being written
                found.append((stat.st_mtime, stat.st_size, path))
        return found


def thumbnail_tag(page_tag: str, width_px: int) -> str:
    """What names a page's thumbnail, by the page's own tag: another when the page is."""
    return _tag(f"{page_tag}\0{_step(width_px)}")


def shown_tag(page_tag: str) -> str:
    """What names a page in a format that browsers show."""
    return _tag(f"{page_tag}\0shown")


def _tag(text: str) -> str:
    return hashlib.sha256(f"{_FORM}\0{text}".encode()).hexdigest()[:40]


def _kept(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
        if time.time() - path.stat().st_mtime > _TOUCH_S:
            os.utime(path)  # it was used: the ones used last stay
    except OSError:
        return None
    return data or None


def _step(width_px: int) -> int:
    """The width that is kept for all up to it: otherwise every window's size would fill the disk anew."""
    return next((step for step in WIDTHS_PX if step >= width_px), WIDTHS_PX[-1])
