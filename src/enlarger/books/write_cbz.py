"""Archives going out: streamed, whole or absent, and the same bytes for the same pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from enlarger.books.members import is_page_name
from enlarger.errors import BookError
from enlarger.messages import msg
from enlarger.storage import atomic_file

_CHUNK_BYTES = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can state
_UNIX = 3
_MODE = 0o100644  # a plain file that its owner may write


def write_cbz(target: Path, members: Iterable[tuple[str, Path | bytes]]) -> None:
    """Write `members` to `target` in the order given; it appears there only once all are in.

    Pictures are stored, everything else is deflated; dates and permissions are fixed. Files are copied in
    chunks, and ZIP64 is used where sizes ask for it. Members are taken one at a time, so that they may be
    made while the archive grows. Raises StorageError when the target cannot be written, BookError when a
    member's file cannot be read, ValueError when two members have one name.
    """
    names: set[str] = set()
    with atomic_file(target) as file, ZipFile(file, "w") as archive:
        for name, source in members:
            if name in names:
                raise ValueError(f"two members are named {name}")
            names.add(name)
            _add(archive, name, source)


def _add(archive: ZipFile, name: str, source: Path | bytes) -> None:
    info = ZipInfo(name, _DATE)
    info.create_system = _UNIX  # else it would tell on which system it was made
    info.external_attr = _MODE << 16
    info.compress_type = ZIP_STORED if is_page_name(name) else ZIP_DEFLATED
    info.file_size = len(source) if isinstance(source, bytes) else _size_bytes(source)  # decides on ZIP64
    with archive.open(info, "w") as member:
        for chunk in [source] if isinstance(source, bytes) else _chunks(source):
            member.write(chunk)


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
