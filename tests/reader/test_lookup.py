"""A render is looked up: what is in the cache is found under any treatment, and nothing is begun by asking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import fake_enhancer
from reading_room import ReadingRoom, reading_room

from enlarger.enhance import RenderCache, Rendering, Source
from enlarger.errors import UnknownBookError
from enlarger.reader import Match, Request, Rule, RuleSet, Wished
from enlarger.runtimes import FakeRuntime


@pytest.fixture
def room(graph: Path, tmp_path: Path) -> Iterator[ReadingRoom]:
    with reading_room(graph, tmp_path) as room:
        yield room


def test_what_is_kept_is_found_and_what_is_not_is_not_made(room: ReadingRoom) -> None:
    book = room.folder("book", 68, 69)
    asked = Request(str(room.shelf.locate(book)), 0)
    assert room.reader.lookup(asked).key == ""
    assert (room.waiting(), room.jobs(), room.reader.open_books()) == (0, [], [])
    room.reader.turn(book, 0)
    state = room.until_ready(0, book)
    room.reader.close(book)
    room.until_quiet()
    assert room.reader.lookup(asked).key == state.key  # of the cache, since the book is closed
    by_name = Request("", 7, str(room.shelf.locate(book) / "01.png"))
    assert room.reader.lookup(by_name).key == state.key
    assert room.reader.lookup(Request(str(room.shelf.locate(book)), 0, wished=Wished("cunet", noise=1))).key == ""
    assert (room.unfinished(), room.waiting(), room.reader.open_books()) == ([], 0, [])


def test_workers_that_share_the_memory_are_known_by_their_keys(
    graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it is too little for the tile that the network should have, and so it is said in the key."""
    with reading_room(graph, tmp_path, workers=2) as room:
        book = room.folder("book", 69)
        room.reader.turn(book, 0)
        whole = room.until_ready(0, book)
        (job,) = room.jobs()
        limits = "enlarger.enhance.tile_limits"
        monkeypatch.setattr(f"{limits}.allowed_memory_bytes", lambda: 8 << 30)  # of which one alone may take 4 GiB
        monkeypatch.setattr(f"{limits}.tile_bytes", lambda _graph, tile, **_: tile[0] * tile[1] * (7 << 29) // 756**2)
        worker = fake_enhancer(room.room.jobs.settings, FakeRuntime(), graph)
        worker.share_memory(2)
        cache = RenderCache(worker.settings.renders_dir, 1 << 30)
        page = (room.shelf.locate(book) / "01.png").read_bytes()
        key = Rendering(worker, cache, job.submission.recipe).key(Source("01.png", lambda: page))
        cache.put(key, b"of a worker with half", "webp", {})
        assert whole.key != room.reader.lookup(Request(str(room.shelf.locate(book)), 0)).key == key


def test_a_page_that_is_being_read_goes_on_when_it_is_looked_up(room: ReadingRoom) -> None:
    book = room.folder("book", 69)
    room.reader.turn(book, 0)
    assert room.reader.lookup(Request(str(room.shelf.locate(book)), 0)).key == ""
    assert room.until_ready(0, book)
    room.until_told(0, "completed")
    assert "cancelled" not in room.told(0)


def test_a_page_that_is_skipped_says_why(room: ReadingRoom) -> None:
    book = room.folder("book", 68)
    room.reader.set_rules(RuleSet(enabled=True, rules=(Rule("r", "All", match=Match(min_width=1), skip=True),)))
    found = room.reader.lookup(Request(str(room.shelf.locate(book)), 0))
    assert found.key == ""
    assert found.reason is not None
    assert "All" in found.reason.text("en")


def test_a_page_that_is_not_there_is_refused(room: ReadingRoom, tmp_path: Path) -> None:
    book = room.folder("book", 68)
    for asked in (Request(str(tmp_path / "nowhere"), 0), Request(str(room.shelf.locate(book)), 5)):
        with pytest.raises(UnknownBookError):
            room.reader.lookup(asked)
