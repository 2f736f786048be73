"""Covers open a book for a moment only: a shelf of solid archives must not unpack them all."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_making import until
from py7zr import SevenZipFile

from shelf_making import Place, picture


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def solid(place: Place, name: str) -> str:
    path = place.incoming / name
    with SevenZipFile(path, "w") as archive:
        for number in range(3):
            archive.writef(io.BytesIO(picture(colour=number)), f"{number}.png")
    return place.shelf.id_of(path)


def open_for_reading(place: Place) -> list[Path]:
    return [path for path in place.incoming.iterdir() if place.shelf._books.has(path)]


def open_for_a_cover(place: Place) -> list[Path]:
    return [path for path in place.incoming.iterdir() if place.shelf._covers.has(path)]


def test_a_shelf_of_covers_leaves_two_books_open_at_most_and_soon_none(place: Place) -> None:
    books = [solid(place, f"{number}.cb7") for number in range(5)]
    most = 0
    for book in books:
        cover = place.shelf.cover(book)
        assert place.shelf.read(cover) == picture(colour=0)
        assert place.shelf.thumbnail(cover, 240)
        assert open_for_reading(place) == []
        most = max(most, len(open_for_a_cover(place)))
    assert most == 2
    until(lambda: not open_for_a_cover(place))
    until(lambda: not any(thread.name == "unpack" for thread in threading.enumerate()))


def test_the_cover_of_a_book_that_is_read_comes_from_the_open_book(place: Place) -> None:
    book = solid(place, "b.cb7")
    assert place.shelf.read(place.shelf.page(book, 1)) == picture(colour=1)
    assert place.shelf.read(place.shelf.cover(book)) == picture(colour=0)
    assert (len(open_for_reading(place)), open_for_a_cover(place)) == (1, [])


def test_a_cover_has_the_tag_of_its_page(place: Place) -> None:
    book = solid(place, "b.cb7")
    assert place.shelf.cover(book).tag == place.shelf.page(book, 0).tag
