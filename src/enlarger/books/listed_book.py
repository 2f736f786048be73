"""What all kinds of books have in common once their members are listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, Self

from enlarger.books.book import BookProblem, Page
from enlarger.books.members import Contents, Source


class ListedBook(ABC, Generic[Source]):
    """See `Book`. A kind of book lists its members when it is opened, and says how one is read."""

    def __init__(self, path: Path, contents: Contents[Source]) -> None:
        self.path = path
        self._contents = contents

    @property
    def pages(self) -> Sequence[Page]:
        return self._contents.pages

    @property
    def extras(self) -> Sequence[str]:
        return self._contents.extras

    @property
    def problems(self) -> Sequence[BookProblem]:
        return self._contents.problems

    def read(self, name: str) -> bytes:
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        yield from self._chunks(name, self._contents.source(self.path, name))

    def size(self, name: str) -> int | None:
        return self._stated_bytes(self._contents.source(self.path, name))

    def _stated_bytes(self, source: Source) -> int | None:  # noqa: ARG002  # for those that know
        return None

    @abstractmethod
    def _chunks(self, name: str, source: Source, /) -> Iterator[bytes]:
        """The member's bytes, at most 1 MiB at a time; raises BookError."""

    def close(self) -> None:
        """Nothing is held open between reads, unless a kind of book says otherwise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
