"""Archives going out: streamed, whole or absent, and the same bytes for the same pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from enlarger.books.members import is_page_name
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.storage import atomic_file

_CHUNK_BYTES = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can state
_UNIX = 3
_MODE = 0o100644  # a plain file that its owner may write


@dataclass(frozen=True)
class Stream:
    """A member's bytes as they come, and how many there will be."""

    size_bytes: int
    chunks: Iterable[bytes]


@dataclass(frozen=True)
class Written:
    """An archive in place: SHA-256 in hex."""

    sha256: str
    size_bytes: int


def write_cbz(
    target: Path,
    members: Iterable[tuple[str, Path | bytes | Stream]],
    *,
    deflates: bool = True,
    label: str = "",
) -> Written:
    """Write `members` to `target` in the order given; it appears there only once all are in.

    Pictures are stored, everything else is deflated if `deflates`; dates and permissions are fixed. Files are copied
    in chunks, and ZIP64 is used where sizes ask for it. Members are taken one at a time, so that they may be
    made while the archive grows. `label` begins the temporary name. Raises StorageError when the target cannot be
    written, BookError when a member's file cannot be read, ValueError when two members have one name.
    """
    names: set[str] = set()
    with atomic_file(target, label=label) as file:
        digest = _Digest(file)
        with ZipFile(file, "w") as archive:
            for name, source in members:
                if name in names:
                    raise ValueError(f"two members are named {name}")
                names.add(name)
                _add(archive, name, source, deflates=deflates)
                digest.catch_up()
        return digest.finish()


class _Digest:
    """SHA-256 of a file that grows. zipfile goes back to each member's header, and only then is the member final."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._done_bytes = 0

    def catch_up(self) -> None:
        self._file.flush()
        with Path(self._file.name).open("rb") as written:
            written.seek(self._done_bytes)
            while chunk := written.read(_CHUNK_BYTES):
                self._sha256.update(chunk)
                self._done_bytes += len(chunk)

    def finish(self) -> Written:
        self.catch_up()
        return Written(self._sha256.hexdigest(), self._done_bytes)


def _add(archive: ZipFile, name: str, source: Path | bytes | Stream, *, deflates: bool) -> None:
    stream = source if isinstance(source, Stream) else _stream(source)
    info = ZipInfo(name, _DATE)
    info.create_system = _UNIX  # else it would tell on which system it was made
    info.external_attr = _MODE << 16
    info.compress_type = ZIP_DEFLATED if deflates and not is_page_name(name) else ZIP_STORED
    info.file_size = stream.size_bytes  # decides on ZIP64
    with archive.open(info, "w") as member:
        for chunk in stream.chunks:
            member.write(chunk)


def _stream(source: Path | bytes) -> Stream:
    if isinstance(source, bytes):
        return Stream(len(source), [source])
    return Stream(_size_bytes(source), _chunks(source))


def _size_bytes(source: Path) -> int:
    try:
        return source.stat().st_size
    except OSError as error:
        raise _unreadable(source, error) from error


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError) -> BookError:
    return BookError(
        msg("{path}: cannot be read ({reason}).", path=source, reason=error.strerror or str(error)),
        msg("Check that it exists and that you are allowed to read it."),
    )
