"""Open archives: shared, bounded, replaced when their file is, closed when nobody reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enlarger.books import Book, open_book
from enlarger.errors import BookError, UnknownBookError
from enlarger.reader.shelf_pool import OpenBooks
from shelf_making import write_archive


class Shop:
    """Opens real archives, and counts; time is what the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.opened: list[Book] = []
        self.closed: list[Book] = []
        self.closes = threading.Event()

    def path(self, name: str) -> Path:
        path = self.folder / f"{name}.cbz"
        return path if path.exists() else write_archive(path, {"1.jpg": name.encode()})

    def open(self, path: Path) -> Book:
        book = open_book(path)
        self.opened.append(book)
        close = book.close

        def closing() -> None:
            self.closed.append(book)
            close()
            self.closes.set()

        book.close = closing  # type: ignore[method-assign]
        return book


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def pool(shop: Shop) -> Iterator[OpenBooks]:
    pool = OpenBooks(most=2, idle_s=60, opens=shop.open, clock=lambda: shop.now)
    yield pool
    pool.close()


def read(pool: OpenBooks, path: Path) -> bytes:
    with pool.book(path) as book:
        return book.read("1.jpg")


def test_a_book_is_opened_once_for_many_pages(shop: Shop, pool: OpenBooks) -> None:
    assert [read(pool, shop.path("a")) for _ in range(5)] == [b"a"] * 5
    assert len(shop.opened) == 1


def test_only_the_last_few_stay_open(shop: Shop, pool: OpenBooks) -> None:
    for name in "abac":
        read(pool, shop.path(name))
    assert [book.path.stem for book in shop.closed] == ["b"]
    read(pool, shop.path("a"))
    assert len(shop.opened) == 3


def test_what_is_being_read_is_not_closed(shop: Shop, pool: OpenBooks) -> None:
    with pool.book(shop.path("a")) as book:
        for name in "bcd":
            read(pool, shop.path(name))
        assert book.read("1.jpg") == b"a"
    assert "a" not in [each.path.stem for each in shop.closed]


def test_an_archive_that_was_replaced_is_opened_anew(shop: Shop, pool: OpenBooks) -> None:
    path = shop.path("a")
    with pool.book(path) as old:
        write_archive(path, {"1.jpg": b"another one"})
        assert read(pool, path) == b"another one"
        assert old.read("1.jpg") == b"a"  # whoever reads goes on with what he began
    assert shop.closed == [old]
    assert read(pool, path) == b"another one"


def test_an_archive_that_is_gone_is_unknown(shop: Shop, pool: OpenBooks) -> None:
    path = shop.path("a")
    read(pool, path)
    path.unlink()
    with pytest.raises(UnknownBookError):
        read(pool, path)


def test_a_broken_archive_is_told_each_time(shop: Shop, pool: OpenBooks) -> None:
    path = shop.folder / "broken.cbz"
    path.write_bytes(b"PK\x03\x04 and no more")
    for _ in range(2):
        with pytest.raises(BookError):
            read(pool, path)


def test_idle_books_are_closed(shop: Shop, pool: OpenBooks) -> None:
    read(pool, shop.path("a"))
    shop.now = 30
    read(pool, shop.path("b"))
    shop.now = 70
    pool.sweep()
    assert [book.path.stem for book in shop.closed] == ["a"]
    shop.now = 95
    pool.sweep()
    assert [book.path.stem for book in shop.closed] == ["a", "b"]


def test_they_are_closed_without_being_asked(shop: Shop) -> None:
    pool = OpenBooks(idle_s=0.01, opens=shop.open)
    read(pool, shop.path("a"))
    assert shop.closes.wait(30)
    pool.close()


def test_closing_the_pool_closes_books_and_ends_its_thread(shop: Shop) -> None:
    others = set(threading.enumerate())
    pool = OpenBooks(opens=shop.open)
    with pool.book(shop.path("b")) as reading:
        read(pool, shop.path("a"))
        pool.close()
        assert [book.path.stem for book in shop.closed] == ["a"]
        assert reading.read("1.jpg") == b"b"
    assert [book.path.stem for book in shop.closed] == ["a", "b"]
    mine = set(threading.enumerate()) - others
    assert not [thread for thread in mine if thread.name == "enlarger-shelf-idle"]


def test_many_threads_read_a_few_books(shop: Shop, pool: OpenBooks) -> None:
    paths = [shop.path(name) for name in "abcd"]

    def reads(number: int) -> bool:
        path = paths[number % 4]
        return read(pool, path) == path.stem.encode()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(reads, range(200)))
    pool.close()
    assert len(shop.opened) == len(shop.closed)


def test_who_asks_for_one_book_at_once_opens_it_once(shop: Shop, pool: OpenBooks) -> None:
    path, inside = shop.path("a"), threading.Barrier(4)

    def ask() -> bytes:
        inside.wait(30)
        return read(pool, path)

    with ThreadPoolExecutor(4) as threads:
        assert [each.result(30) for each in [threads.submit(ask) for _ in range(4)]] == [b"a"] * 4
    assert len(shop.opened) == 1
