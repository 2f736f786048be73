"""What a folder shows on the shelf: groups and books in natural order, page by page, found by their titles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enlarger.errors import InputError, UnknownBookError
from enlarger.reader import Item
from enlarger.reader.shelf_items import _cursor_name
from shelf_making import Place, picture, write_archive


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def shown(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.kind, item.title) for item in items]


def everything(place: Place, limit: int, **wanted: str) -> list[Item]:
    items, after = place.shelf.items(limit=limit, **wanted)
    while after:
        more, after = place.shelf.items(limit=limit, after=after, **wanted)
        assert len(more) <= limit
        items += more
    return items


def test_groups_and_books_come_in_natural_order(place: Place) -> None:
    for name in ("卷 10", "卷 2", "series/a", "series/b"):
        place.made(f"storage/incoming/{name}")
    write_archive(place.incoming / "卷 3.cbz", {"1.jpg": b""})
    write_archive(place.incoming / "Volume.zip", {"1.jpg": b""})
    found = everything(place, 200)
    assert shown(found) == [
        ("group", "series"),
        ("book", "Volume"),
        ("book", "卷 2"),
        ("book", "卷 3"),
        ("book", "卷 10"),
    ]
    assert [item.format for item in found] == ["folder", "zip", "folder", "zip", "folder"]
    assert [item.pages for item in found] == [None, None, 1, None, 1]
    assert found[3].bytes == (place.incoming / "卷 3.cbz").stat().st_size


def test_what_is_nothing_to_read_is_left_out(place: Place) -> None:
    place.made("storage/incoming/empty", [])
    place.made("storage/incoming/notes", ["a.txt", "Thumbs.db"])
    place.made("storage/incoming/.hidden")
    place.made("storage/incoming/__MACOSX")
    place.made("storage/incoming/@eaDir")
    (place.incoming / "readme.txt").write_text("x")
    (place.incoming / ".enlarger-1.cbz").write_bytes(b"")
    assert everything(place, 200) == []


def test_loose_pictures_are_a_book_of_their_folder(place: Place) -> None:
    place.made("storage/incoming/series", ["cover.jpg"])
    place.made("storage/incoming/series/1")
    group = place.shelf.id_of(place.incoming / "series")
    assert shown(everything(place, 200)) == [("group", "series")]
    inside = everything(place, 200, group=group)
    assert shown(inside) == [("book", "series"), ("book", "1")]
    assert place.shelf.id_below(inside[0].root, inside[0].path) == group


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_a_list_join_to_the_whole(place: Place, limit: int) -> None:
    for number in range(7):
        place.made(f"storage/incoming/b{number}", [] if number in (0, 3, 6) else ["1.jpg"])
    (place.incoming / "loose.png").write_bytes(b"")
    assert [item.title for item in everything(place, limit)] == ["incoming", "b1", "b2", "b4", "b5"]


def test_a_folder_of_5000_books_comes_in_pages(place: Place) -> None:
    for number in range(5000):
        (place.incoming / f"v{number}.cbz").touch()
    found = everything(place, 500)
    assert [item.title for item in found] == [f"v{number}" for number in range(5000)]


def test_what_comes_and_goes_between_two_pages_shifts_nothing(place: Place) -> None:
    for number in range(10):
        place.made(f"storage/incoming/b{number}")
    first, after = place.shelf.items(limit=5)
    shutil.rmtree(place.incoming / "b1")
    shutil.rmtree(place.incoming / "b4")
    place.made("storage/incoming/b0 new")
    os.utime(place.incoming, (1, 1))  # the folder's time is another one
    second, _ = place.shelf.items(limit=5, after=after)
    assert [item.title for item in (*first, *second)] == [f"b{number}" for number in range(10)]


def test_a_new_book_is_seen_at_once(place: Place) -> None:
    os.utime(place.incoming, (1, 1))
    assert everything(place, 10) == []
    place.made("storage/incoming/new")
    assert shown(everything(place, 10)) == [("book", "new")]


@pytest.mark.parametrize("after", ["!", "%%%", "a", "====", "ÿ", "a b"])
def test_a_cursor_that_is_none_is_refused(place: Place, after: str) -> None:
    with pytest.raises(InputError, match="no place in the list"):
        place.shelf.items(after=after)


@given(st.text(max_size=20))
def test_no_cursor_breaks_anything(after: str) -> None:
    with suppress(InputError):
        _cursor_name(after)


def test_search_finds_titles_at_any_depth(place: Place) -> None:
    place.made("storage/incoming/剑风传奇/第01卷")
    place.made("storage/incoming/Berserk/Vol 2")
    write_archive(place.incoming / "Berserk" / "berserk VOL 10.cbz", {"1.jpg": b""})
    assert [i.relative for i in everything(place, 1, query="vol berserk")] == ["Berserk/berserk VOL 10.cbz"]
    assert [i.relative for i in everything(place, 1, query="VOL")] == ["Berserk/berserk VOL 10.cbz", "Berserk/Vol 2"]
    assert [i.relative for i in everything(place, 200, query="传奇")] == ["剑风传奇"]
    assert [i.relative for i in everything(place, 200, query="ｖｏｌ　２")] == ["Berserk/Vol 2"]  # full-width
    assert everything(place, 200, query="nothing") == []
    group = place.shelf.id_of(place.incoming / "Berserk")
    assert len(everything(place, 200, query="vol", group=group)) == 2


def test_search_ends_in_circles_and_in_large_trees(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.made("storage/incoming/a/b")
    (place.incoming / "a" / "up").symlink_to(place.incoming)
    assert [item.relative for item in everything(place, 200, query="b")] == ["a/b"]
    monkeypatch.setattr("enlarger.reader.shelf_items._MOST_WALKED", 3)
    for number in range(20):
        place.made(f"storage/incoming/d{number}/x")
    assert len(everything(place, 200, query="x")) < 20


def test_links_that_lead_out_are_not_shown(place: Place) -> None:
    outside = place.made("outside")
    archive = write_archive(place.folder / "outside.cbz", {"1.jpg": b""})
    (place.incoming / "folder").symlink_to(outside)
    (place.incoming / "archive.cbz").symlink_to(archive)
    (place.incoming / "broken.cbz").symlink_to(place.folder / "nowhere")
    (place.incoming / "circle").symlink_to(place.incoming / "circle")
    assert everything(place, 200) == []
    assert everything(place, 200, query="r") == []


def test_what_may_not_be_read_is_left_out(place: Place) -> None:
    os.mkfifo(place.incoming / "pipe.cbz")
    assert everything(place, 200) == []


def test_an_archive_as_root_is_one_book(place: Place) -> None:
    root = place.shelf.add_root(str(write_archive(place.folder / "one.cbz", {"1.jpg": b""})))
    items, after = place.shelf.items(root.id)
    assert (shown(items), after) == ([("book", "one")], "")
    assert place.shelf.locate(place.shelf.id_below(root, items[0].path)) == root.path


def test_a_root_that_is_not_there_shows_nothing(place: Place) -> None:
    root = place.shelf.add_root(str(place.made("stick")))
    shutil.rmtree(root.path)
    assert place.shelf.items(root.id) == ([], "")
    with pytest.raises(UnknownBookError):
        place.shelf.items("0123456789")


def test_a_book_that_was_looked_into_shows_its_pages(place: Place) -> None:
    book = place.book("b.cbz", {"1.png": picture(), "2.png": picture()})
    assert place.shelf.item(book).pages is None
    place.shelf.index(book)
    assert [item.pages for item in everything(place, 10)] == [2]
    write_archive(place.incoming / "b.cbz", {"1.png": picture()})
    assert place.shelf.item(book).pages is None


def test_progress_is_shown_by_whichever_root_a_book_is_reached(place: Place) -> None:
    book = place.book("series/b.cbz", {"1.png": picture(), "2.png": picture()})
    place.shelf.put_progress(book, 1)
    root = place.shelf.add_root(str(place.incoming / "series"))
    items, _ = place.shelf.items(root.id)
    assert [each.page for each in place.shelf.progress_of(items).values()] == [1]
    other = place.shelf.id_below(root, items[0].path)
    assert other != book
    assert place.shelf.progress(other) == place.shelf.progress(book)


def test_the_books_read_last_come_first_and_lost_ones_are_left_out(place: Place) -> None:
    books = [place.book(f"{name}.cbz", {"1.png": picture()}) for name in "abc"]
    for book in (*books, books[0]):
        place.shelf.put_progress(book, 0)
    (place.incoming / "c.cbz").unlink()
    assert [item.title for item in place.shelf.recent()] == ["a", "b"]
    assert [item.title for item in place.shelf.recent(1)] == ["a"]


def test_a_page_that_the_book_does_not_have_is_no_progress(place: Place) -> None:
    book = place.book("b.cbz", {"1.png": picture()})
    with pytest.raises(UnknownBookError, match="no page 2"):
        place.shelf.put_progress(book, 1)
    assert place.shelf.progress(book) is None


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8), max_size=6))
def test_any_names_are_listed_once_or_left_out(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    place = Place(tmp_path_factory.mktemp("names"))
    for name in names:
        if name not in (".", ".."):
            place.made(f"storage/incoming/{name}")
    found = everything(place, 2)
    visible = {name for name in names if not name.startswith(".") and name.lower() not in ("thumbs.db", "desktop.ini")}
    assert {item.relative for item in found} == visible
    assert all(place.shelf.locate(place.shelf.id_of(item.path)) == item.path for item in found)
    place.close()


def test_what_comes_in_the_same_instant_as_a_listing_is_shown_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for after_s in (1, 10):  # it is listed while the folder's time may not have moved yet, and again later
        place.made(f"storage/incoming/{after_s}")
        os.utime(place.incoming, (1_000, 1_000))
        monkeypatch.setattr(
            "enlarger.reader.shelf_items.time", SimpleNamespace(time=lambda after_s=after_s: 1_000 + after_s)
        )
        items = everything(place, 10)
    assert [item.title for item in items] == ["1", "10"]
