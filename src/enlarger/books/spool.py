"""Where archives that can only be unpacked as a whole lie unpacked: a bounded folder that processes share.

Nothing in it is needed: what is missing is unpacked again. A member counts once its file has its name, which it
gets when all its bytes are there; whoever reads it compares its checksum with the archive's.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from enlarger.books.fingerprint import fingerprint
from enlarger.cancel import CancelToken, check
from enlarger.errors import BookError, StorageError
from enlarger.messages import msg
from enlarger.settings import Settings
from enlarger.storage import drop_temporaries, drop_tree, one_at_a_time, require_room, storage_errors, write_atomic

_STATED = "stated-bytes"
_IDLE_S = 24 * 3600.0
_POLL_S = 0.2


@dataclass(frozen=True)
class Spool:
    """`folder` holds a folder for each archive, together at most `max_bytes` as the archives state their sizes."""

    folder: Path
    max_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> Spool:
        return cls(settings.spool_dir, settings.spool_max_bytes)

    def place(self, archive: Path) -> Path:
        """The folder of the archive as it is now; another one once it changed. Raises OSError."""
        known = "\0".join(map(str, fingerprint(archive)))
        return self.folder / hashlib.sha256(known.encode(errors="surrogateescape")).hexdigest()[:32]

    def check_fits(self, archive: Path, needed_bytes: int) -> None:
        """Raises BookError when the archive would not fit were it the only one."""
        if needed_bytes > self.max_bytes:
            raise BookError(
                msg(
                    "{path}: unpacks to {size} MB, and unpacked archives may take {room} MB.",
                    path=archive,
                    size=-(-needed_bytes // 1_000_000),
                    room=self.max_bytes // 1_000_000,
                ),
                msg("Allow more with ENLARGER_SPOOL_MAX_BYTES, or repack the archive as zip or cbz."),
            )

    @contextmanager
    def unpacking(self, place: Path, cancel: CancelToken) -> Iterator[None]:
        """Wait until nobody else unpacks into `place`; raises CancelledError while waiting, StorageError."""
        with one_at_a_time(self._locked(place), cancel):
            yield

    def reserve(self, place: Path, needed_bytes: int, cancel: CancelToken) -> None:
        """Make room in `place`, dropping what was not used for longest; only for who is `unpacking` there.

        What a killed process left half-written goes. Raises StorageError, and CancelledError while others unpack
        into all the room there is.
        """
        drop_temporaries(place, "")
        while not self._reserved(place, needed_bytes, cancel):
            check(cancel)
            time.sleep(_POLL_S)

    def give_back(self, place: Path) -> None:
        """Keep reserved only what was unpacked into `place`; for who was `unpacking` there and stopped."""
        with suppress(OSError, StorageError):
            held_bytes = sum(file.stat().st_size for file in place.iterdir() if file.name != _STATED)
            write_atomic(place / _STATED, str(held_bytes).encode())

    def was_begun(self, place: Path) -> bool:
        """Whether the archive was being unpacked before."""
        return (place / _STATED).exists()

    def _reserved(self, place: Path, needed_bytes: int, cancel: CancelToken) -> bool:
        with one_at_a_time(self.folder / "room", cancel):
            with storage_errors(self.folder):
                others = {path: _stated_bytes(path) for path in self._places() if path != place}
            for other in sorted(others, key=_last_use):
                is_idle = _last_use(other) < time.time() - _IDLE_S
                if (is_idle or sum(others.values()) + needed_bytes > self.max_bytes) and self.drop(
                    other, holding=place
                ):
                    del others[other]
            if sum(others.values()) + needed_bytes > self.max_bytes:
                return False
            require_room(self.folder, needed_bytes)
            write_atomic(place / _STATED, str(needed_bytes).encode())
            return True

    def _places(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.is_dir()]

    def drop(self, other: Path, *, holding: Path | None = None) -> bool:
        """Remove what lies there, unless it is being unpacked; `holding`: where the caller is `unpacking` itself."""
        from filelock import FileLock, Timeout

        lock = self._locked(other)
        try:
            is_ours = holding is not None and lock == self._locked(holding)
            with nullcontext() if is_ours else FileLock(lock.with_name(f".{lock.name}.lock"), timeout=0):
                drop_tree(other, pauses_s=())  # in use: another, or later
        except (OSError, Timeout):
            return False
        return not other.exists()

    def _locked(self, place: Path) -> Path:
        """What is locked for `place`. Lock files stay, so there is one for all places of the same beginning."""
        return self.folder / place.name[:2]


def drop_unpacked(place: Path) -> None:
    """Remove an unpacked archive of `Settings.spool_dir`, unless it is being unpacked just now."""
    Spool(place.parent, 0).drop(place)


def touch(place: Path) -> None:
    """Note that the unpacked archive is in use."""
    with suppress(OSError):
        os.utime(place)


def _stated_bytes(place: Path) -> int:
    try:
        return int((place / _STATED).read_text())
    except (OSError, ValueError):  # begun by a process that was killed at once, or partly removed
        return 0


def _last_use(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0
