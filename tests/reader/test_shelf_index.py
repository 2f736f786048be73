"""What a book holds is read once, remembered as long as it is true, and its problems told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from enlarger.books import open_book, own_file
from enlarger.errors import BookError, UnknownBookError
from enlarger.reader import BookIndex, ReaderStore, Shelf
from enlarger.reader.stamps import page_stamp, stamp_of
from shelf_making import Place, picture, write_archive


class Reads:
    """How often a header was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from enlarger.reader import shelf_index

        self.names: list[str] = []
        read_header = shelf_index.read_header

        def noted(data: bytes, *, name: str) -> object:
            self.names.append(name)
            return read_header(data, name=name)

        monkeypatch.setattr(shelf_index, "read_header", noted)

    def taken(self) -> list[str]:
        names, self.names = self.names, []
        return names


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def sizes(index: BookIndex) -> list[tuple[int, str, int, int, str]]:
    return [(page.index, page.name, page.width, page.height, page.format) for page in index.pages]


def restarted(place: Place) -> Shelf:
    """The shelf of a server that was started again."""
    place.close()
    place.store = ReaderStore.of(place.settings)
    place.shelf = Shelf(place.settings, place.store)
    return place.shelf


def test_pages_come_in_reading_order_with_their_sizes(place: Place) -> None:
    pages = {"第2話/10.png": picture(), "第2話/9.jpg": picture(20, 30, "JPEG"), "1.webp": picture(8, 9, "WEBP")}
    index = place.shelf.index(place.book("b.cbz", {**pages, "ComicInfo.xml": b"<ComicInfo/>"}))
    assert sizes(index) == [
        (0, "1.webp", 8, 9, "webp"),
        (1, "第2話/9.jpg", 20, 30, "jpeg"),
        (2, "第2話/10.png", 24, 36, "png"),
    ]
    assert [page.bytes for page in index.pages] == [len(pages[page.name]) for page in index.pages]
    assert index.problems == ()


def test_a_folder_shows_the_pictures_that_lie_in_it(place: Place) -> None:
    folder = place.made("storage/incoming/b", [])
    (folder / "10.png").write_bytes(picture())
    (folder / "9.png").write_bytes(picture(5, 6))
    (folder / "note.txt").write_text("x")
    place.made("storage/incoming/b/inner")
    index = place.shelf.index(place.shelf.id_of(folder))
    assert [(page.name, page.width, page.bytes) for page in index.pages] == [
        ("9.png", 5, len(picture(5, 6))),
        ("10.png", 24, len(picture())),
    ]


def test_headers_are_read_once(place: Place, reads: Reads) -> None:
    book = place.book("b.cbz", {"1.png": picture(), "2.png": picture()})
    first = place.shelf.index(book)
    assert reads.taken() == ["1.png", "2.png"]
    assert place.shelf.index(book) == first
    assert restarted(place).index(book) == first
    assert reads.taken() == []


def test_an_archive_that_was_replaced_is_read_anew(place: Place) -> None:
    book = place.book("b.cbz", {"1.png": picture()})
    before = place.shelf.index(book)
    write_archive(place.incoming / "b.cbz", {"1.png": picture(50, 60), "2.png": picture()})
    after = place.shelf.index(book)
    assert sizes(after) == [(0, "1.png", 50, 60, "png"), (1, "2.png", 24, 36, "png")]
    assert after.stamp != before.stamp
    assert restarted(place).index(book) == after


def test_of_a_folder_only_what_changed_is_read_anew(place: Place, reads: Reads) -> None:
    folder = place.made("storage/incoming/b", [])
    for name in ("1.png", "2.png", "3.png"):
        (folder / name).write_bytes(picture())
    book = place.shelf.id_of(folder)
    place.shelf.index(book)
    reads.taken()
    (folder / "2.png").write_bytes(picture(70, 80))
    (folder / "3.png").unlink()
    (folder / "0.png").write_bytes(picture(3, 4))
    assert [(page.name, page.width) for page in restarted(place).index(book).pages] == [
        ("0.png", 3),
        ("1.png", 24),
        ("2.png", 70),
    ]
    assert sorted(reads.taken()) == ["0.png", "2.png"]


def test_broken_pages_are_there_and_told(place: Place) -> None:
    book = place.book("b.cbz", {"1.png": b"no picture", "2.png": picture(), "3.png": b"", "../out.png": picture()})
    for shelf in (lambda: place.shelf, lambda: restarted(place)):
        index = shelf().index(book)
        assert [(page.name, page.width, page.format) for page in index.pages] == [
            ("1.png", 0, ""),
            ("2.png", 24, "png"),
            ("3.png", 0, ""),
        ]
        assert [problem.name for problem in index.problems] == ["../out.png", "1.png", "3.png"]
        assert "not a picture" in str(index.problems[1].message)
        assert all(problem.remedy is not None for problem in index.problems)


def test_a_large_page_has_its_size_without_being_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture() + bytes(3_000_000)
    book = place.book("b.cbz", {"1.png": data})
    monkeypatch.setattr("enlarger.books.zip_book.ZipBook.read", None)
    page = place.shelf.index(book).pages[0]
    assert (page.width, page.height, page.bytes) == (24, 36, len(data))


def test_a_header_behind_a_large_profile_is_found(place: Place) -> None:
    data = picture(kind="JPEG", icc_profile=os.urandom(3_000_000))
    assert len(data) > 2_000_000
    page = place.shelf.index(place.book("b.cbz", {"1.jpg": data})).pages[0]
    assert (page.width, page.height, page.bytes) == (24, 36, len(data))


def test_what_is_no_book_is_told(place: Place) -> None:
    (place.incoming / "b.cbz").write_bytes(b"PK\x03\x04 but no more")
    with pytest.raises(BookError):
        place.shelf.index(place.shelf.id_of(place.incoming / "b.cbz"))
    empty = place.made("storage/incoming/empty", [])
    with pytest.raises(BookError, match="no pictures"):
        place.shelf.index(place.shelf.id_of(empty))


def test_a_page_out_of_range_is_unknown(place: Place) -> None:
    index = place.shelf.index(place.book("b.cbz", {"1.png": picture()}))
    assert index.page(0).name == "1.png"
    for number in (1, -1):
        with pytest.raises(UnknownBookError):
            index.page(number)


def test_links_out_of_a_folder_are_problems(place: Place) -> None:
    folder = place.made("storage/incoming/b", [])
    (folder / "1.png").write_bytes(picture())
    secret = place.folder / "secret.png"
    secret.write_bytes(picture())
    (folder / "2.png").symlink_to(secret)
    (folder / "3.png").symlink_to(folder / "1.png")
    (folder / "4.png").symlink_to(folder / "4.png")
    index = place.shelf.index(place.shelf.id_of(folder))
    assert [page.name for page in index.pages] == ["1.png", "3.png"]
    assert [problem.name for problem in index.problems] == ["2.png", "4.png"]
    with pytest.raises(BookError):
        place.shelf.read(place.shelf.page(place.shelf.id_of(folder), 2))


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_utf8_can_be_shown_and_read(place: Place) -> None:
    folder = place.incoming / os.fsdecode(b"\x8f\xac")
    folder.mkdir()
    (folder / os.fsdecode(b"\xff1.png")).write_bytes(picture())
    (folder / os.fsdecode(b"\xfe1.png")).write_bytes(picture())
    book = place.shelf.id_of(folder)
    index = place.shelf.index(book)
    assert (len(index.pages), index.problems) == (2, ())
    assert all(page.name.encode().endswith(b"1.png") for page in index.pages)
    assert place.shelf.title(book) == "��"
    assert place.shelf.read(place.shelf.page(book, 0)) == picture()


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
@pytest.mark.parametrize("names", [
    ["第一卷 封面.png".encode("gbk"), "第一卷 目录.png".encode("gbk")],
    ["第１話 表紙.png".encode("cp932"), "ソース.png".encode("cp932")],
    [rb"deep\3.png", b"part 1: one.png"],
])  # fmt: skip
def test_a_job_calls_a_page_what_the_shelf_calls_it(place: Place, names: list[bytes]) -> None:
    folder = place.incoming / "odd"
    (folder / "deep").mkdir(parents=True)
    for colour, name in enumerate([*names, b"1.png", b"c:2.png", "第十三話 안내.png".encode("euc_kr", "replace")]):
        (folder / os.fsdecode(name)).write_bytes(picture(colour=colour))
    (folder / "deep" / os.fsdecode("目錄與封面彩頁.png".encode("big5"))).write_bytes(picture())
    pages = place.shelf.index(place.shelf.id_of(folder)).pages
    assert len(pages) == len(names) + 2  # but for the drive's
    with open_book(folder) as book, open_book(folder, recursive=False) as shown:
        for page in pages:
            assert book.read(page.name) == shown.read(page.name)
            assert page_stamp(folder, page.name) == stamp_of(own_file(shown, page.name)) is not None
    assert page_stamp(folder, "nothing.png") is None
