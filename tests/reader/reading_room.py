"""A reader over real jobs whose workers run the fake runtime, and a shelf that is nothing but a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fake_workers import fake_enhancer
from job_making import Room, folder_of, running_room, until

from enlarger.books import open_book
from enlarger.errors import EnlargerError, UnknownBookError
from enlarger.messages import msg
from enlarger.models import Graph, Variant
from enlarger.pictures import read_header
from enlarger.reader import PageChanged, PageState, PageStatus, Reader, ReaderEvent, ReaderStore
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings

BOOK = "book"


@dataclass(frozen=True)
class TablePage:
    """A page as the shelf knows it; 0 x 0 where its header cannot be read."""

    index: int
    name: str
    width: int
    height: int
    format: str


@dataclass
class TableShelf:
    """Books by id."""

    books: dict[str, Path] = field(default_factory=dict)

    def locate(self, book_id: str) -> Path:
        if book_id not in self.books:
            raise UnknownBookError(msg("There is no such book on the shelf."))
        return self.books[book_id]

    def id_of(self, path: Path) -> str:
        for book_id, book in self.books.items():
            if book == path:
                return book_id
        raise UnknownBookError(msg("There is no such book on the shelf."))

    def pages(self, book_id: str) -> Sequence[TablePage]:
        with open_book(self.locate(book_id)) as book:
            return [_page(n, page.name, book.read(page.name)) for n, page in enumerate(book.pages)]

    def title(self, book_id: str) -> str:
        return self.locate(book_id).stem


def _page(index: int, name: str, data: bytes) -> TablePage:
    try:
        header = read_header(data, name=name)
    except EnlargerError:
        return TablePage(index, name, 0, 0, "")
    return TablePage(index, name, header.width, header.height, header.format)


@dataclass
class ReadingRoom:
    """A started reader, and all it told."""

    reader: Reader
    room: Room
    shelf: TableShelf
    events: list[ReaderEvent] = field(default_factory=list)

    def book(self, folder: Path, book_id: str = BOOK) -> str:
        """Put it on the shelf."""
        self.shelf.books[book_id] = folder
        return book_id

    def folder(self, name: str, *widths: int, seed: int = 0) -> str:
        """A folder of pages of these widths, on the shelf under its name."""
        return self.book(folder_of(self.room.root / name, *widths, seed=seed), name)

    def state(self, page: int, book_id: str = BOOK) -> PageState:
        return next((state for state in self.reader.states(book_id) if state.page == page), PageState(book_id, page))

    def until_status(self, page: int, *statuses: PageStatus, book_id: str = BOOK) -> PageState:
        until(lambda: self.state(page, book_id).status in statuses, f"{self.reader.states(book_id)}")
        return self.state(page, book_id)

    def until_ready(self, page: int, book_id: str = BOOK) -> PageState:
        return self.until_status(page, PageStatus.COMPLETED, book_id=book_id)

    def computed(self, page: int, book_id: str) -> Path:
        """Turn to the page; its finished render."""
        self.reader.turn(book_id, page)
        file = self.reader.render(self.until_ready(page, book_id).key)
        assert file is not None
        return file

    def until_quiet(self) -> None:
        """Nothing waits and nothing is in hand, here or in the ledger."""
        until(lambda: self.unfinished() == [] and self.waiting() == 0, "it never came to rest")

    def waiting(self) -> int:
        stats = self.reader.stats()
        return stats.pending_tasks + stats.processing_tasks

    def jobs(self) -> list[Any]:
        return [job for job in self.room.jobs.find(transient=True, limit=1000)[0] if job.submission.owner == "reader"]

    def unfinished(self) -> list[Any]:
        return [job for job in self.jobs() if not job.state.is_final]

    def until_told(self, page: int, *statuses: str, book_id: str = BOOK) -> None:
        """Listeners hear in a thread of the reader's, a moment after it is so."""
        until(lambda: self.told(page, book_id)[-len(statuses) :] == [*statuses], f"{self.told(page, book_id)}")

    def told(self, page: int, book_id: str = BOOK) -> list[str]:
        """The statuses a page was told to have, each once while it stayed."""
        told = [event.state for event in list(self.events) if isinstance(event, PageChanged)]
        states = [state for state in told if (state.book_id, state.page) == (book_id, page)]
        statuses = [state.status.value for state in states]
        return [status for n, status in enumerate(statuses) if n == 0 or statuses[n - 1] != status]


@contextmanager
def reading_room(graph: Path, root: Path, **settings: Any) -> Iterator[ReadingRoom]:
    """A started reader over started jobs with one worker. Tiles are the smallest."""
    with running_room(graph, root, **settings) as room, reading_in(room, graph) as reading:
        yield reading


def _fake_graph(graph: Path, variant: Variant, settings: Settings) -> Graph:
    return fake_enhancer(settings, FakeRuntime(), graph).graph(variant)


@contextmanager
def reading_in(room: Room, graph: Path, grace_s: float = 0.0) -> Iterator[ReadingRoom]:
    """A reader in a running room. A book that nobody reads is closed at once."""
    shelf, store = TableShelf(), ReaderStore(room.jobs.settings.storage_dir.absolute() / "reader.sqlite")
    reader = Reader(room.jobs, shelf, store, room.jobs.settings, grace_s=grace_s, made=partial(_fake_graph, graph))
    reader.set(tileSize=32)
    reading = ReadingRoom(reader, room, shelf)
    unsubscribe = reader.subscribe(reading.events.append)
    reader.start()
    try:
        yield reading
    finally:
        unsubscribe()
        reader.stop()
        store.close()
