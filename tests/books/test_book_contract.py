"""What every book promises, run over all kinds that keep members under names of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from document_making import write_seven_zip
from rar_making import write_rar
from zip_making import JPEG, write_folder, write_zip

from enlarger.books import Book, Limits, open_book
from enlarger.errors import BookError

Make = Callable[[dict[str, bytes]], Path]

VOLUME = {
    "第10話/002.jpg": b"ten two",
    "第10話/001.jpg": b"ten one",
    "第2話/10.png": b"two ten",
    "第2話/9.png": b"two nine",
    "封面.webp": b"cover",
    "ComicInfo.xml": b"<ComicInfo/>",
    "第2話/notes.txt": b"a note",
}
READING_ORDER = ["封面.webp", "第2話/9.png", "第2話/10.png", "第10話/001.jpg", "第10話/002.jpg"]


MAKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "folder": lambda folder, members: write_folder(folder / "volume", members),
    "zip": lambda folder, members: write_zip(folder / "volume.cbz", members),
    "7z": lambda folder, members: write_seven_zip(folder / "volume.cb7", members),
    "rar4": lambda folder, members: write_rar(folder / "volume.cbr", members, version=4),
    "rar5": lambda folder, members: write_rar(folder / "volume.cbr", members),
    "packed-rar5": lambda folder, members: write_rar(folder / "volume.cbr", members, packed=True),
    "solid-rar5": lambda folder, members: write_rar(folder / "volume.cbr", members, packed=True, solid=True),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return partial(MAKERS[request.param], tmp_path)


@pytest.fixture(autouse=True)
def own_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_CACHE_DIR", str(tmp_path / "cache"))


def names(book: Book) -> list[str]:
    return [page.name for page in book.pages]


def test_pages_come_in_reading_order_with_their_folders(make: Make) -> None:
    with open_book(make(VOLUME)) as book:
        assert names(book) == READING_ORDER


def test_everything_else_is_carried_over(make: Make) -> None:
    with open_book(make(VOLUME)) as book:
        assert list(book.extras) == ["ComicInfo.xml", "第2話/notes.txt"]
        assert not book.problems


def test_read_gives_the_bytes_of_pages_and_extras(make: Make) -> None:
    with open_book(make(VOLUME)) as book:
        assert {name: book.read(name) for name in (*names(book), *book.extras)} == VOLUME


def test_the_size_is_true_or_left_open(make: Make) -> None:
    with open_book(make(VOLUME)) as book:
        assert all(book.size(name) in (len(VOLUME[name]), None) for name in names(book))
        with pytest.raises(BookError):
            book.size("nothing.jpg")


def test_stream_gives_the_same_in_chunks(make: Make) -> None:
    large = bytes(range(256)) * 10_000
    with open_book(make({"1.jpg": JPEG, "2.png": large, "empty.txt": b""})) as book:
        chunks = list(book.stream("2.png"))
        assert b"".join(chunks) == large
        assert max(map(len, chunks)) <= 1 << 20
        assert list(book.stream("empty.txt")) == []


def test_streams_may_be_taken_side_by_side(make: Make) -> None:
    pages = {f"{number}.jpg": bytes([number]) * 2_500_000 for number in range(3)}
    with open_book(make(pages)) as book:
        streams = {name: book.stream(name) for name in pages}
        first = {name: next(stream) for name, stream in streams.items()}
        assert {name: first[name] + b"".join(streams[name]) for name in pages} == pages


def test_the_path_is_kept(make: Make) -> None:
    path = make(VOLUME)
    with open_book(path) as book:
        assert book.path == path


def test_what_systems_leave_behind_is_neither_page_nor_extra(make: Make) -> None:
    litter = ["__MACOSX/._1.jpg", "._1.jpg", ".DS_Store", "Thumbs.db", ".hidden/2.jpg", "deep/desktop.ini"]
    with open_book(make({"1.jpg": JPEG} | dict.fromkeys(litter, b"x"))) as book:
        assert names(book) == ["1.jpg"]
        assert not book.extras
        assert not book.problems


def test_archives_within_are_extras(make: Make) -> None:
    with open_book(make({"1.jpg": JPEG, "inner.cbz": b"PK\x03\x04"})) as book:
        assert list(book.extras) == ["inner.cbz"]


def test_read_from_many_threads(make: Make) -> None:
    pages = {f"{number}.jpg": bytes([number]) * 70_000 for number in range(40)}
    with open_book(make(pages)) as book, ThreadPoolExecutor(8) as threads:
        wanted = sorted(pages) * 5
        assert list(threads.map(book.read, wanted)) == [pages[name] for name in wanted]


def test_an_unknown_name_is_an_error_that_names_it(make: Make) -> None:
    with open_book(make(VOLUME)) as book, pytest.raises(BookError, match=r"volume.* 3\.jpg"):
        book.read("3.jpg")


def test_names_lead_nowhere_else(make: Make) -> None:
    with open_book(make(VOLUME)) as book, pytest.raises(BookError):
        book.read("../volume/ComicInfo.xml")


def test_a_book_without_pictures_is_an_error_with_a_remedy(make: Make) -> None:
    with pytest.raises(BookError, match=r"volume.* holds no pictures") as caught:
        open_book(make({"readme.txt": b"words"}))
    assert caught.value.remedy


def test_a_member_beyond_the_limit_costs_only_itself(make: Make) -> None:
    with open_book(make({"1.jpg": JPEG, "2.jpg": bytes(2000)}), limits=Limits(max_member_bytes=1000)) as book:
        assert book.read("1.jpg") == JPEG
        if book.problems:  # an archive states its sizes beforehand, a folder is asked when it is read
            assert [problem.name for problem in book.problems] == ["2.jpg"]
        with pytest.raises(BookError, match=r"2\.jpg"):
            book.read("2.jpg")
        with pytest.raises(BookError, match=r"2\.jpg"):
            list(book.stream("2.jpg"))
