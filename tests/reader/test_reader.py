"""The whole road: a turned page becomes sharp, those around it are ready, and nothing is done for who is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import make_graph
from reading_room import ReadingRoom, reading_room

from enlarger.reader import PageStatus


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def room(graph: Path, tmp_path: Path) -> Iterator[ReadingRoom]:
    with reading_room(graph, tmp_path) as room:
        yield room


def test_a_turned_page_becomes_sharp_and_those_around_it(room: ReadingRoom) -> None:
    book = room.folder("book", 30, 32 + 3, 36, 37, 38, 39)
    states = room.reader.turn(book, 1)
    assert [state.page for state in states] == [1, 2, 3, 4, 0]
    ready = room.until_ready(1)
    assert (ready.original_width, ready.width, ready.height) == (35, 70, 60)
    assert ready.key
    file = room.reader.render(ready.key)
    assert file is not None
    assert file.suffix == ".webp"
    for page in (0, 2, 3, 4):
        assert room.until_ready(page).is_preload
    assert room.state(5).status is PageStatus.ORIGINAL
    assert room.told(1) == ["pending", "checking", "processing", "completed"]
