from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zip_making import JPEG, Member, deflated, raw_zip, write_raw_zip, write_zip

from enlarger.books import Book, Limits, open_book
from enlarger.errors import BookError

PAGE = Member(b"1.jpg")
MIB = 1 << 20
DEFAULTS = Limits()


@pytest.fixture
def cbz(tmp_path: Path) -> Path:
    return tmp_path / "volume.cbz"


def names(book: Book) -> list[str]:
    return [page.name for page in book.pages]


def refused(path: Path, *members: Member, limits: Limits = DEFAULTS) -> str:
    """Open an archive of a good page and `members`; the page must be read, and one problem told well."""
    with open_book(write_raw_zip(path, [PAGE, *members]), limits=limits) as book:
        assert names(book) == ["1.jpg"]
        assert book.read("1.jpg") == JPEG
        (problem,) = book.problems
        assert problem.name in str(problem.error)
        assert str(path) in str(problem.error)
        assert problem.error.remedy
        return str(problem.error)


# names


@pytest.mark.parametrize(
    "name",
    [
        b"../2.jpg",
        b"a/../../2.jpg",
        b"/etc/2.jpg",
        rb"..\2.jpg",
        rb"\\server\2.jpg",
        b"C:/2.jpg",
        b"c:2.jpg",
        b"2\0.jpg",
    ],
)
def test_names_that_lead_out_are_refused(cbz: Path, name: bytes) -> None:
    assert "leads out of the book" in refused(cbz, Member(name))


def test_links_and_devices_are_refused(cbz: Path) -> None:
    assert "is a link" in refused(cbz, Member(b"2.jpg", data=b"/etc/passwd", mode=0o120777))
    assert "a device" in refused(cbz, Member(b"2.jpg", mode=0o020666))


def test_names_are_made_clean_and_folders_are_no_members(cbz: Path) -> None:
    members = [Member(rb"a\1.jpg"), Member(b"./b//2.jpg"), Member(b"a/", b""), Member(b"c\\", b"")]
    with open_book(write_raw_zip(cbz, members)) as book:
        assert names(book) == ["a/1.jpg", "b/2.jpg"]
        assert not book.extras
        assert not book.problems


def test_a_name_that_comes_again_is_given_a_new_one(cbz: Path) -> None:
    twice = [Member(b"a/1.jpg", b"first"), Member(rb"a\1.jpg", b"second"), Member(b"a/1~2.jpg", b"third")]
    with open_book(write_raw_zip(cbz, twice)) as book:
        assert {name: book.read(name) for name in names(book)} == {
            "a/1.jpg": b"first",
            "a/1~3.jpg": b"second",
            "a/1~2.jpg": b"third",
        }


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("cp932", "第01話/表紙.jpg"),
        ("cp932", "ソース/能力表.jpg"),
        ("gbk", "第一卷/封面.jpg"),
        ("big5", "第一卷/許功蓋.jpg"),
        ("euc_kr", "제1화/표지.jpg"),
        ("utf-8", "第01話/表紙.jpg"),
    ],
)
def test_names_of_legacy_archives(cbz: Path, codec: str, name: str) -> None:
    with open_book(write_raw_zip(cbz, [Member(name.encode(codec)), Member(b"001.txt")])) as book:
        assert names(book) == [name]
        assert book.read(name) == JPEG


def test_backslashes_of_legacy_archives_are_told_from_second_bytes(cbz: Path) -> None:
    with open_book(write_raw_zip(cbz, [Member("第01話\\表紙.jpg".encode("cp932"))])) as book:
        assert names(book) == ["第01話/表紙.jpg"]


def test_the_unicode_path_field_wins(cbz: Path) -> None:
    stored, name = "漫画.jpg".encode("gbk"), "漫畫.jpg".encode()
    field = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(stored)) + name
    with open_book(write_raw_zip(cbz, [Member(stored, extra=b"\x01\x00\x02\x00ab" + field)])) as book:
        assert names(book) == ["漫畫.jpg"]
        assert book.read("漫畫.jpg") == JPEG


def test_a_unicode_path_field_of_another_name_is_not_believed(cbz: Path) -> None:
    field = struct.pack("<HHBL", 0x7075, 5 + 5, 1, 12345) + b"x.jpg"
    with open_book(write_raw_zip(cbz, [Member("漫画.jpg".encode("gbk"), extra=field)])) as book:
        assert names(book) == ["漫画.jpg"]


# bombs


def test_a_ratio_beyond_the_limit_is_refused(cbz: Path) -> None:
    assert "times its size" in refused(cbz, Member(b"2.jpg", bytes(33 * MIB), method=ZIP_DEFLATED))


def test_a_blank_page_is_no_bomb(cbz: Path) -> None:
    blank = b"\xff" * (26 * MIB)  # A4 at 300 dpi, RGB
    with open_book(write_raw_zip(cbz, [Member(b"1.bmp", blank, method=ZIP_DEFLATED)])) as book:
        assert book.read("1.bmp") == blank


def test_a_member_beyond_the_limit_is_refused(cbz: Path) -> None:
    assert "larger than 2 MiB" in refused(
        cbz, Member(b"2.jpg", bytes(3 * MIB)), limits=Limits(max_member_bytes=2 * MIB)
    )


def test_a_total_beyond_the_limit_is_an_error(cbz: Path) -> None:
    members = [Member(b"%d.jpg" % number, bytes(MIB)) for number in range(3)]
    with pytest.raises(BookError, match=r"volume\.cbz: unpacks to more than .* Split"):
        open_book(write_raw_zip(cbz, members), limits=Limits(max_total_bytes=2 * MIB))


@pytest.mark.parametrize("count", [21, 5000])
def test_more_members_than_the_limit_are_an_error(cbz: Path, count: int) -> None:
    write_raw_zip(cbz, [Member(b"%d.jpg" % number, b"") for number in range(count)])
    with pytest.raises(BookError, match=r"volume\.cbz: holds more than 20 members.* Split"):
        open_book(cbz, limits=Limits(max_entries=20))


def test_as_many_members_as_the_limit_allows(cbz: Path) -> None:
    with open_book(
        write_raw_zip(cbz, [Member(b"%d.jpg" % number) for number in range(20)]), limits=Limits(max_entries=20)
    ) as book:
        assert len(book.pages) == 20


def test_a_header_that_lies_cannot_fill_the_memory(cbz: Path) -> None:
    bomb = Member(b"2.jpg", method=ZIP_DEFLATED, packed=deflated(bytes(100 * MIB)), stated_bytes=1000)
    with open_book(write_raw_zip(cbz, [PAGE, bomb])) as book:
        tracemalloc.start()
        with pytest.raises(BookError, match=r"2\.jpg is damaged"):
            book.read("2.jpg")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10 * MIB
        assert book.read("1.jpg") == JPEG


def test_members_that_share_bytes_are_refused(cbz: Path) -> None:
    kernel = deflated(bytes(900_000))
    members = [
        Member(b"%d.jpg" % number, bytes(900_000), method=ZIP_DEFLATED, packed=kernel, offset=0) for number in range(9)
    ]
    with pytest.raises(BookError, match=r"volume\.cbz: 0\.jpg shares its bytes"):
        open_book(write_raw_zip(cbz, members))


def test_a_member_inside_another_is_refused_with_it(cbz: Path) -> None:
    inner = raw_zip([Member(b"3.jpg")])
    start = len(raw_zip([PAGE])) - 22 - (46 + 5) + 30 + 5  # past page one and the header of the member that follows
    members = [PAGE, Member(b"2.jpg", inner), Member(b"3.jpg", offset=start)]
    with open_book(write_raw_zip(cbz, members)) as book:
        assert names(book) == ["1.jpg"]
        assert {problem.name for problem in book.problems} == {"2.jpg", "3.jpg"}


# damage


def test_a_wrong_checksum_costs_one_page(cbz: Path) -> None:
    with open_book(write_raw_zip(cbz, [PAGE, Member(b"2.jpg", crc=1), Member(b"3.jpg")])) as book:
        assert names(book) == ["1.jpg", "2.jpg", "3.jpg"]
        with pytest.raises(BookError, match=r"volume\.cbz: 2\.jpg is damaged .*again") as caught:
            book.read("2.jpg")
        assert caught.value.remedy
        assert book.read("1.jpg") == book.read("3.jpg") == JPEG


def test_data_that_ends_early_costs_one_page(cbz: Path) -> None:
    short = Member(b"2.jpg", b"abc", method=ZIP_DEFLATED, stated_bytes=5)
    with open_book(write_raw_zip(cbz, [PAGE, short])) as book:
        with pytest.raises(BookError, match="3 of 5 bytes"):
            book.read("2.jpg")
        assert book.read("1.jpg") == JPEG


def test_a_truncated_archive_is_an_error(cbz: Path) -> None:
    cbz.write_bytes(raw_zip([PAGE, Member(b"2.jpg", bytes(1000))])[:-200])
    with pytest.raises(BookError, match=r"volume\.cbz: its directory is missing.* again"):
        open_book(cbz)


def test_names_that_belie_their_mark_are_an_error(cbz: Path) -> None:
    with pytest.raises(BookError, match=r"volume\.cbz: its names are marked as UTF-8"):
        open_book(write_raw_zip(cbz, [Member("漫画.jpg".encode("gbk"), flags=0x800)]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_damage_raises_anything_but_book_errors(cbz: Path, changes: list[tuple[int, int]]) -> None:
    members = [Member(f"話{method}.jpg".encode(), JPEG * 3, method=method) for method in (0, ZIP_DEFLATED, 0)]
    data = bytearray(raw_zip(members))
    for place, value in changes:
        data[place % len(data)] = value
    cbz.write_bytes(data)
    assert str(cbz) in error_of(lambda: read_all(cbz), str(cbz))


def error_of(action: Callable[[], object], otherwise: str) -> str:
    try:
        action()
    except BookError as error:
        return str(error)
    return otherwise


def read_all(path: Path) -> None:
    with open_book(path) as book:
        for page in book.pages:
            assert page.name in error_of(partial(book.read, page.name), page.name)


# encryption and methods


def test_encrypted_members_among_others_are_refused(cbz: Path) -> None:
    assert "2.jpg is encrypted" in refused(cbz, Member(b"2.jpg", flags=0x1))


@pytest.mark.parametrize(("flags", "method"), [(0x1, 0), (0x1, 99), (0x41, 8)])
def test_an_encrypted_archive_is_an_error(cbz: Path, flags: int, method: int) -> None:
    members = [Member(b"1.jpg", flags=flags, method=method), Member(b"readme.txt")]
    with pytest.raises(BookError, match=r"volume\.cbz: is encrypted.* password"):
        open_book(write_raw_zip(cbz, members))


@pytest.mark.parametrize("method", [9, ZIP_BZIP2, ZIP_LZMA])
def test_methods_beyond_deflate_are_refused(cbz: Path, method: int) -> None:
    assert f"packed by method {method}" in refused(cbz, Member(b"2.jpg", method=method))


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
def test_the_usual_methods_are_read(cbz: Path, method: int) -> None:
    data = bytes(range(256)) * 50_000
    with ZipFile(cbz, "w", compression=method) as archive:
        archive.writestr("1.jpg", data)
    with open_book(cbz) as book:
        assert book.read("1.jpg") == data


def test_comments_and_programs_around_an_archive(cbz: Path) -> None:
    write_zip(cbz, {"1.jpg": JPEG})
    with ZipFile(cbz, "a") as archive:
        archive.comment = b"scanned with care"
    cbz.write_bytes(b"MZ a program that unpacks itself" + cbz.read_bytes())
    with open_book(cbz) as book:
        assert book.read("1.jpg") == JPEG
