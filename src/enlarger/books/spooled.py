"""An archive that is unpacked once, on a thread of its own, while its members are read in any order."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from enlarger.books.member_checks import damaged_archive, damaged_member
from enlarger.books.spool import Spool, touch
from enlarger.cancel import CancelToken, check
from enlarger.errors import BookError, CancelledError, EnlargerError
from enlarger.messages import msg
from enlarger.storage import TEMPORARY_PREFIX, remove, rename, storage_errors

_CHUNK_BYTES = 1 << 20
_POLL_S = 0.1
_TRIES = 3


@dataclass(frozen=True)
class Packed:
    """A member as the archive's directory states it: the how-manieth it is; `crc32` is None where none is stated."""

    index: int
    name: str
    size_bytes: int
    crc32: int | None

    def is_made_of(self, size_bytes: int, crc32: int) -> bool:
        """Whether bytes of this length and checksum are the member's."""
        return size_bytes == self.size_bytes and self.crc32 in (None, crc32)


class Sink:
    """Where an unpacker puts members, one after the other: `begin`, `write` the bytes, `end`.

    What is wrong with a member is noted in `damaged`, and the next one may follow.
    """

    def __init__(
        self,
        archive: Path,
        place: Path,
        members: Mapping[int, Packed],
        damaged: dict[int, BookError],
        cancel: CancelToken,
    ) -> None:
        self._archive = archive
        self._place = place
        self._members = members
        self._damaged = damaged
        self._cancel = cancel
        self._current: _Current | None = None

    @property
    def wanted(self) -> Collection[int]:
        """The numbers of the members to be handed over; others are passed by."""
        return self._members.keys()

    @property
    def missing(self) -> Collection[int]:
        """Those of the wanted that are not in place yet."""
        return [index for index in self._members if not (self._place / str(index)).exists()]

    def pass_by(self) -> None:
        """Bytes that nobody keeps went by; raises CancelledError once nobody wants those after them."""
        check(self._cancel)

    def begin(self, index: int) -> None:
        """The next bytes are of member `index`. Raises CancelledError once nobody wants them, StorageError."""
        check(self._cancel)
        file = self._place / str(index)
        with storage_errors(file):
            temporary = None if file.exists() else self._place / f"{TEMPORARY_PREFIX}{uuid4().hex}"
            self._current = _Current(index, file, temporary, temporary.open("xb") if temporary else None)

    def write(self, data: bytes | bytearray) -> None:
        """Bytes of the member; raises CancelledError, StorageError."""
        check(self._cancel)
        current = self._taken()
        current.size_bytes += len(data)
        current.crc32 = zlib.crc32(data, current.crc32)
        fits = current.size_bytes <= self._members[current.index].size_bytes
        if current.writer is not None and fits:
            with storage_errors(current.file):
                current.writer.write(data)

    def end(self) -> None:
        """All bytes were written: the member is in place if they are what the archive states."""
        current = self._taken()
        stated = self._members[current.index]
        if stated.is_made_of(current.size_bytes, current.crc32):
            with storage_errors(current.file):
                current.keep()
            self._damaged.pop(current.index, None)  # another program could read it
        else:
            self._damaged[current.index] = damaged_member(
                self._archive, stated.name, msg("its checksum does not match")
            )
            current.drop()
        self._current = None

    def close(self) -> None:
        """What was begun and not ended is dropped."""
        if self._current is not None:
            self._current.drop()

    def _taken(self) -> _Current:
        assert self._current is not None, "begin comes first"
        return self._current


@dataclass
class _Current:
    """The member being written; without a writer it lies there already and is only passed by."""

    index: int
    file: Path
    temporary: Path | None
    writer: BinaryIO | None
    size_bytes: int = 0
    crc32: int = 0

    def keep(self) -> None:
        if self.writer is not None and self.temporary is not None:
            self.writer.close()
            rename(self.temporary, self.file)

    def drop(self) -> None:
        if self.writer is not None and self.temporary is not None:
            with suppress(OSError):
                self.writer.close()
                remove(self.temporary)


Unpack = Callable[[Sink], None]
"""Runs through the archive, handing members to the sink; raises BookError, and what the sink raises."""


class Spooled:
    """Members by their number in the archive, unpacked when the first one is read. Safe from any thread.

    The first unpacking stops when the book is closed: perhaps only its cover was wanted. One that has to begin
    again goes on to its end, so that a book which is opened anew for each page is not unpacked for each page.
    """

    def __init__(self, spool: Spool, archive: Path, members: Mapping[int, Packed], unpack: Unpack) -> None:
        """Raises BookError when the archive unpacks to more than the spool may hold, OSError when it is gone."""
        self._spool = spool
        self._archive = archive
        self._place = spool.place(archive)
        self._members = members
        self._unpack = unpack
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closed = False
        self._goes_to_the_end = False
        self._damaged: dict[int, BookError] = {}
        self._failure: EnlargerError | None = None
        self._sound: set[int] = set()
        self._needed_bytes = sum(member.size_bytes for member in members.values())
        spool.check_fits(archive, self._needed_bytes)

    def stream(self, index: int) -> Iterator[bytes]:
        """The member's bytes, at most 1 MiB at a time; raises BookError and StorageError."""
        with self._opened(index) as reader:
            while chunk := reader.read(_CHUNK_BYTES):
                yield chunk

    def is_set(self) -> bool:
        """Whether unpacking is to stop (this is its cancel token)."""
        return self._closed and not self._goes_to_the_end

    def close(self) -> None:
        with self._changed:
            self._closed = True
            worker = None if self._goes_to_the_end else self._worker
        if worker is not None:
            worker.join()

    def _opened(self, index: int) -> BinaryIO:
        touch(self._place)
        for _ in range(_TRIES):  # it may be dropped for others' sake at any moment
            with storage_errors(self._place), suppress(FileNotFoundError):
                if self._is_sound(index):
                    return self._file(index).open("rb")
                remove(self._file(index))
            self._wait_for(index)
        raise damaged_member(self._archive, self._members[index].name, msg("it does not stay unpacked"))

    def _file(self, index: int) -> Path:
        return self._place / str(index)

    def _is_sound(self, index: int) -> bool:
        """Whether what lies there is what the archive states: the disk may have lost it with the power.

        The file is closed again on return: what is open cannot be deleted everywhere. Raises FileNotFoundError.
        """
        if index in self._sound:
            return True
        size_bytes, crc32 = 0, 0
        with self._file(index).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                size_bytes, crc32 = size_bytes + len(chunk), zlib.crc32(chunk, crc32)
        if not self._members[index].is_made_of(size_bytes, crc32):
            return False
        self._sound.add(index)
        return True

    def _wait_for(self, index: int) -> None:
        with self._changed:
            self._sound.discard(index)
            self._begin()
            while self._worker is not None and not self._file(index).exists():
                self._changed.wait(_POLL_S)  # another process may be the one that unpacks
            if not self._file(index).exists() and (error := self._damaged.get(index) or self._failure):
                raise error

    def _begin(self) -> None:
        if self._closed:
            raise BookError(msg("{path}: was closed.", path=self._archive))
        if self._worker is None:
            self._failure = None
            self._worker = threading.Thread(target=self._run, name="unpack", daemon=True)
            self._worker.start()

    def _run(self) -> None:
        try:
            with self._spool.unpacking(self._place, self):
                self._settle_how_far()
                if not all(self._file(index).exists() for index in self._members):
                    self._unpack_all()
        except CancelledError:
            pass
        except EnlargerError as error:
            self._failure = error
        except Exception as error:  # who waits for a page must hear of it, whatever it is
            self._failure = damaged_archive(self._archive, str(error) or type(error).__name__)
        finally:
            with self._changed:
                self._worker = None
                self._changed.notify_all()

    def _settle_how_far(self) -> None:
        """To the end where it was begun before; once settled, closing either waits for the run or leaves it alone."""
        with self._changed:
            check(self)
            self._goes_to_the_end = self._spool.was_begun(self._place)

    def _unpack_all(self) -> None:
        self._spool.reserve(self._place, self._needed_bytes, self)
        sink = Sink(self._archive, self._place, self._members, self._damaged, self)
        try:
            self._unpack(sink)
        except CancelledError:
            self._spool.give_back(self._place)
            raise
        finally:
            sink.close()
        for index in sink.missing:
            if index not in self._damaged:
                name = self._members[index].name
                self._damaged[index] = damaged_member(self._archive, name, msg("it cannot be unpacked"))
