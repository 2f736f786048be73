"""One run through a 7z, its members handed to a sink as they come out; imported only then, since it needs py7zr."""

from __future__ import annotations

from typing import Any, cast

from py7zr import Py7zIO, SevenZipFile, WriterFactory

from enlarger.books.spooled import Sink


def unpack_into(archive: SevenZipFile, sink: Sink) -> None:
    """Hand every member that the sink wants to it, in the archive's order.

    Members go by their number: names may come twice, and py7zr refuses a whole archive for one that leads out of it.
    """
    for index, file in enumerate(archive.files):
        properties = cast("dict[str, Any]", file.file_properties())
        properties["filename"] = str(index)
        properties.pop("digest", None)  # the sink compares it, and then goes on to the next member
    archive.extract(targets=[str(index) for index in sink.wanted], factory=_Members(sink))


class _Members(WriterFactory):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def create(self, filename: str) -> Py7zIO:
        return _Member(self._sink, int(filename))


class _Member(Py7zIO):
    """Created when its first bytes are there, closed after its last."""

    def __init__(self, sink: Sink, index: int) -> None:
        self._sink = sink
        self._written_bytes = 0
        sink.begin(index)

    def write(self, s: bytes | bytearray) -> int:
        self._sink.write(s)
        self._written_bytes += len(s)
        return len(s)

    def close(self) -> None:
        self._sink.end()

    def read(self, size: int | None = None) -> bytes:  # noqa: ARG002 - nobody reads here
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002 - back to the beginning, once it is closed
        return 0

    def flush(self) -> None:
        pass

    def size(self) -> int:
        return self._written_bytes
