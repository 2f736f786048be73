"""What a book is: pages in reading order, what lies beside them, and what was refused and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from enlarger.errors import BookError

_MIB = 1024**2
_GIB = 1024**3


@dataclass(frozen=True)
class Page:
    """One picture of a book. `name` is its POSIX path inside the book, as shown to people."""

    name: str


@dataclass(frozen=True)
class BookProblem:
    """A member that was refused when the book was opened; the rest of the book can be read."""

    name: str
    error: BookError


@dataclass(frozen=True)
class Limits:
    """What an archive may claim before it counts as a bomb. A folder knows only `max_member_bytes`.

    Deflate ends at a ratio of 1032, which blank bitmaps reach as bombs do: hence the floor, above what a blank
    page at 300 dpi takes. One member is in memory at a time.
    """

    max_entries: int = 20_000
    max_member_bytes: int = 512 * _MIB
    max_total_bytes: int = 64 * _GIB
    max_ratio: float = 200.0
    ratio_floor_bytes: int = 32 * _MIB
    """Members that unpack to no more than this are harmless at any ratio."""


class Book(Protocol):
    """An ordered set of pages. A context manager; members may be read from any thread until `close`."""

    @property
    def path(self) -> Path: ...

    @property
    def pages(self) -> Sequence[Page]:
        """Pictures in natural order; never empty, no two names alike."""

    @property
    def extras(self) -> Sequence[str]:
        """Names of all other members, ComicInfo.xml among them; what systems leave behind is not listed."""

    @property
    def problems(self) -> Sequence[BookProblem]:
        """Members refused, with their error."""

    def read(self, name: str) -> bytes:
        """The bytes of a page or an extra; raises BookError when just this member is damaged or too large."""

    def stream(self, name: str) -> Iterator[bytes]:
        """The same in chunks of at most 1 MiB; what is wrong with the member is raised when it is met."""

    def size(self, name: str) -> int | None:
        """How many bytes a member has by what the book says of it, None where only reading it would tell."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
