"""One run through a rar by a program that writes all members one after another, cut where the directory says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.books.spooled import Sink
from enlarger.books.unpackers import Unpacker, unpackers

if TYPE_CHECKING:
    from rarfile import RarInfo


def unpack_into(archive: Path, members: Sequence[RarInfo], sink: Sink) -> None:
    """Hand every member that the sink wants to it; programs are tried in turn until none is missing.

    Some of them write out where links lead to, others do not: checksums tell.
    """
    has_links = any(map(_is_link, members))
    for unpacker, writes_links in product(unpackers(), (True, False) if has_links else (False,)):
        _run(unpacker, archive, [(index, _size(each, writes_links)) for index, each in enumerate(members)], sink)
        if not sink.missing:
            return


def _run(unpacker: Unpacker, archive: Path, sizes: Sequence[tuple[int, int]], sink: Sink) -> None:
    last = max(sink.missing, default=-1)
    output = _Output(unpacker.output(archive))
    try:
        for index, size_bytes in sizes[: last + 1]:
            _hand_over(output, index, size_bytes, sink)
            if output.is_at_end:
                return
    finally:
        output.close()


def _hand_over(output: _Output, index: int, size_bytes: int, sink: Sink) -> None:
    if index not in sink.wanted:
        for _ in output.next(size_bytes):
            sink.pass_by()
        return
    sink.begin(index)
    for chunk in output.next(size_bytes):
        sink.write(chunk)
    sink.end()


class _Output:
    """A program's output, taken in pieces of given lengths."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.is_at_end = False
        self._chunks = chunks
        self._rest = memoryview(b"")

    def next(self, size_bytes: int) -> Iterator[bytes]:
        """The next `size_bytes`, or what there is."""
        while size_bytes and not self.is_at_end:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
                self.is_at_end = not self._rest
            taken, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
            size_bytes -= len(taken)
            yield bytes(taken)

    def close(self) -> None:
        """End the program."""
        if hasattr(self._chunks, "close"):
            self._chunks.close()


def _is_link(member: RarInfo) -> bool:
    return bool(member.file_redir or member.is_symlink())


def _size(member: RarInfo, writes_links: bool) -> int:
    """How many bytes programs write for it."""
    if member.is_dir() or member.needs_password() or (_is_link(member) and not writes_links):
        return 0
    return int(member.file_size)
