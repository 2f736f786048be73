"""What an archive's directory says that makes a member, or the whole archive, one that must not be unpacked.

The same for every kind of archive; what only zips can claim is in `zip_checks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from enlarger.books.book import Limits
from enlarger.books.members import member_too_large
from enlarger.errors import BookError
from enlarger.messages import Message, msg


def check_entries(path: Path, entries: int, limits: Limits) -> None:
    """Raises BookError when the archive holds more than `max_entries`."""
    if entries > limits.max_entries:
        raise BookError(
            msg("{path}: holds more than {limit} members.", path=path, limit=limits.max_entries),
            msg("Split the archive into volumes, or unpack it and give the folder."),
        )


def check_total(path: Path, sizes_bytes: Iterable[int], limits: Limits) -> None:
    """Raises BookError when the members would unpack to more than `max_total_bytes`."""
    if sum(sizes_bytes) > limits.max_total_bytes:
        raise BookError(
            msg("{path}: unpacks to more than {limit} GiB.", path=path, limit=limits.max_total_bytes // 1024**3),
            msg("Split the archive into volumes."),
        )


def check_ratio(path: Path, size_bytes: int, packed_bytes: int, limits: Limits) -> None:
    """Raises BookError when all members together unpack to more times the archive's size than honest ones do."""
    ratio = size_bytes / max(packed_bytes, 1)
    if size_bytes > limits.ratio_floor_bytes and ratio > limits.max_ratio:
        raise BookError(
            msg("{path}: unpacks to {ratio} times its size, as an archive bomb does.", path=path, ratio=int(ratio)),
            msg("If you trust the archive, unpack it yourself and give the folder."),
        )


def size_refusal(path: Path, name: str, size_bytes: int, packed_bytes: int, limits: Limits) -> BookError | None:
    """Why a member of this size, out of so many bytes, is not read; None when it is harmless."""
    if size_bytes > limits.max_member_bytes:
        return member_too_large(path, name, limits)
    ratio = size_bytes / max(packed_bytes, 1)
    if size_bytes > limits.ratio_floor_bytes and ratio > limits.max_ratio:
        return BookError(
            msg(
                "{path}: {name} unpacks to {ratio} times its size, as in a zip bomb.",
                path=path,
                name=name,
                ratio=int(ratio),
            ),
            msg("If you trust the archive, unpack it yourself and give the folder."),
        )
    return None


def encrypted_archive(path: Path) -> BookError:
    """The error for an archive of which nothing can be read without its password."""
    return BookError(msg("{path}: is encrypted.", path=path), encryption_remedy())


def encrypted_member(path: Path, name: str) -> BookError:
    """The error for one member that needs a password."""
    return BookError(msg("{path}: {name} is encrypted.", path=path, name=name), encryption_remedy())


def encryption_remedy() -> Message:
    return msg("Unpack the archive with its password and give the folder.")


def no_plain_file(path: Path, name: str) -> BookError:
    """The error for a member that is a link, a pipe or a device."""
    return BookError(
        msg("{path}: {name} is a link or a device, which pages never are.", path=path, name=name),
        msg("Repack the archive with the file itself in the link's place."),
    )


def damaged_member(path: Path, name: str, reason: str | Message) -> BookError:
    """The error for a member whose bytes are not what the archive says they are."""
    return BookError(
        msg("{path}: {name} is damaged ({reason}).", path=path, name=name, reason=reason),
        msg("Copy or download the archive again; its other pages are not affected."),
    )


def damaged_archive(path: Path, reason: str | Message) -> BookError:
    """The error for an archive whose list of members cannot be relied on."""
    return BookError(
        msg("{path}: its directory is missing or damaged ({reason}).", path=path, reason=reason),
        msg("The file was probably cut short: copy or download it again."),
    )
