"""One reader over real jobs for all tests of reading, and the graph its workers read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import make_graph
from job_making import until
from reading_room import ReadingRoom, reading_room

from enlarger.reader import RuleSet


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="session")
def shared_room(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    with reading_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture
def room(shared_room: ReadingRoom) -> Iterator[ReadingRoom]:
    """The session's reader with nothing open, nothing set and nothing told."""
    shared_room.until_quiet()
    until(lambda: shared_room.jobs() == [], "a book that was closed has jobs")
    shared_room.events.clear()
    yield shared_room
    for book_id in shared_room.reader.open_books():
        shared_room.reader.close(book_id)
    shared_room.reader.set(enabled=True, model="cunet", lossless=False, lookAhead={"forward": 3, "backward": 3})
    shared_room.reader.set_rules(RuleSet())
