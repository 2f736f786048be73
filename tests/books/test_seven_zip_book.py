from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import py7zr
import pytest
from document_making import write_seven_zip
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from zip_making import JPEG

from enlarger.books import Limits, open_book
from enlarger.errors import BookError
from enlarger.settings import Settings

STORED = [{"id": py7zr.FILTER_COPY}]


def settings_for(path: Path) -> Settings:
    return Settings(cache_dir=path.parent / "cache")


def error_of(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(BookError) as caught, open_book(path, limits=limits or Limits(), settings=settings_for(path)):
        pass
    assert str(path) in str(caught.value.message)
    assert caught.value.remedy
    return str(caught.value)


def test_three_hundred_pages_are_read_backwards_from_one_unpacking(tmp_path: Path) -> None:
    pages = {f"{number:03}.jpg": random.Random(number).randbytes(2000) for number in range(300)}
    path = write_seven_zip(tmp_path / "a.cb7", pages)
    with open_book(path, settings=settings_for(path)) as book:
        names = [page.name for page in book.pages]
        assert {name: book.read(name) for name in reversed(names)} == pages
        first = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "spool").glob("*/*")}
        random.Random(1).shuffle(names)
        assert all(book.read(name) == pages[name] for name in names)
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "spool").glob("*/*")} == first


def test_opening_unpacks_nothing(tmp_path: Path) -> None:
    path = write_seven_zip(tmp_path / "a.cb7", {"1.jpg": JPEG})
    open_book(path, settings=settings_for(path)).close()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("filters", [STORED, [{"id": py7zr.FILTER_ZSTD, "level": 3}], [{"id": py7zr.FILTER_BZIP2}]])
def test_other_methods(tmp_path: Path, filters: list[dict[str, int]]) -> None:
    path = write_seven_zip(tmp_path / "a.7z", {"1.jpg": JPEG, "2.jpg": bytes(5000)}, filters=filters)
    with open_book(path, settings=settings_for(path)) as book:
        assert (book.read("1.jpg"), book.read("2.jpg")) == (JPEG, bytes(5000))


def test_content_decides_what_is_a_7z(tmp_path: Path) -> None:
    path = write_seven_zip(tmp_path / "a.cbz", {"1.jpg": JPEG})
    with open_book(path, settings=settings_for(path)) as book:
        assert book.read("1.jpg") == JPEG


@pytest.mark.parametrize("hides_names", [False, True])
def test_a_password_is_named(tmp_path: Path, hides_names: bool) -> None:
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w", password="secret", header_encryption=hides_names) as archive:
        archive.writestr(JPEG, "1.jpg")
    assert "is encrypted" in error_of(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_file(tmp_path: Path, share: float) -> None:
    path = write_seven_zip(tmp_path / "a.7z", {"1.jpg": random.Random(1).randbytes(5000)})
    data = path.read_bytes()
    path.write_bytes(data[: max(8, int(len(data) * share))])
    assert "cut short" in error_of(path)


def test_a_flipped_byte_costs_one_page(tmp_path: Path) -> None:
    pages = {f"{number}.jpg": random.Random(number).randbytes(500) for number in range(4)}
    path = write_seven_zip(tmp_path / "a.7z", pages, filters=STORED)
    data = bytearray(path.read_bytes())
    data[data.index(pages["1.jpg"]) + 7] ^= 1
    path.write_bytes(data)
    with open_book(path, settings=settings_for(path)) as book:
        with pytest.raises(BookError, match=r"1\.jpg is damaged"):
            book.read("1.jpg")
        assert [book.read(f"{number}.jpg") for number in (0, 2, 3)] == [pages[f"{n}.jpg"] for n in (0, 2, 3)]


def renamed(path: Path, old: str, new: str) -> Path:
    """The archive with a name replaced by one of the same length, its checksums made true; py7zr writes none such."""
    data = bytearray(path.read_bytes())
    at = data.index(old.encode("utf-16-le"))
    data[at : at + 2 * len(old)] = new.encode("utf-16-le")
    offset, size = struct.unpack_from("<QQ", data, 12)
    header = data[32 + offset : 32 + offset + size]
    struct.pack_into("<L", data, 28, zlib.crc32(header))
    struct.pack_into("<L", data, 8, zlib.crc32(data[12:32]))
    path.write_bytes(data)
    return path


def plain_header(path: Path, members: dict[str, bytes]) -> Path:
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.set_encoded_header_mode(False)
        for name, data in members.items():
            archive.writestr(data, name)
    return path


@pytest.mark.parametrize("name", ["../evil.jpg", "/abs_ev.jpg", "C:\\evil.jpg", "a/../../.jpg"])
def test_a_name_that_leads_out_costs_only_itself(tmp_path: Path, name: str) -> None:
    path = plain_header(tmp_path / "a.7z", {"outside.jpg"[: len(name)].ljust(len(name), "x"): b"out", "1.jpg": JPEG})
    renamed(path, "outside.jpg"[: len(name)].ljust(len(name), "x"), name)
    with open_book(path, settings=settings_for(path)) as book:
        assert [page.name for page in book.pages] == ["1.jpg"]
        assert "leads out of the book" in str(book.problems[0].error)
        assert book.read("1.jpg") == JPEG
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.7z", "cache"]


def test_two_members_of_one_name_are_two_pages(tmp_path: Path) -> None:
    path = renamed(plain_header(tmp_path / "a.7z", {"1.jpg": b"one", "2.jpg": b"two"}), "2.jpg", "1.jpg")
    with open_book(path, settings=settings_for(path)) as book:
        assert {page.name: book.read(page.name) for page in book.pages} == {"1.jpg": b"one", "1~2.jpg": b"two"}


@pytest.mark.skipif(not hasattr(Path, "symlink_to"), reason="no links here")
def test_a_link_within_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").write_bytes(JPEG)
    (tmp_path / "in" / "2.jpg").symlink_to("/etc/passwd")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writeall(tmp_path / "in", "in")
    with open_book(tmp_path / "a.7z", settings=settings_for(tmp_path / "a.7z")) as book:
        assert [page.name for page in book.pages] == ["in/1.jpg"]
        assert "is a link" in str(book.problems[0].error)
        assert book.read("in/1.jpg") == JPEG


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = write_seven_zip(tmp_path / "a.7z", {f"{number}.jpg": bytes(1 << 18) for number in range(8)})
    assert "archive bomb" in error_of(path, Limits(ratio_floor_bytes=1 << 20))


def test_more_than_the_limits_allow(tmp_path: Path) -> None:
    path = write_seven_zip(tmp_path / "a.7z", {f"{number}.jpg": JPEG for number in range(5)})
    assert "more than 4 members" in error_of(path, Limits(max_entries=4))
    assert "unpacks to more than" in error_of(path, Limits(max_total_bytes=100))


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_broken_bytes_end_in_clear_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = plain_header(folder / "a.7z", {"1.jpg": JPEG, "2.jpg": bytes(300)})
    content = bytearray(path.read_bytes())
    (offset,) = struct.unpack_from("<Q", content, 12)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(32 + offset, len(content) - 1))] = data.draw(st.integers(0, 255))
    struct.pack_into("<L", content, 28, zlib.crc32(content[32 + offset :]))  # or all would end at the checksum
    struct.pack_into("<L", content, 8, zlib.crc32(content[12:32]))
    path.write_bytes(content)
    limits = Limits(max_member_bytes=10_000)
    try:
        with open_book(path, limits=limits, settings=settings_for(path)) as book:
            for page in book.pages:
                book.read(page.name)
    except BookError:
        pass
