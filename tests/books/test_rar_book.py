from __future__ import annotations

import os
import random
import stat
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rar_making import SYMLINK, RarMember, rar4, rar5
from zip_making import JPEG

from enlarger.books import Book, Limits, open_book
from enlarger.books import unpackers as unpackers_module
from enlarger.errors import BookError
from enlarger.settings import Settings

PAGES = {f"{number:02}.jpg": random.Random(number).randbytes(3000) for number in range(12)}
PAGE = RarMember("1.jpg")
BOTH = pytest.mark.parametrize("made", [rar4, rar5], ids=["rar4", "rar5"])


def opened(path: Path, data: bytes, limits: Limits | None = None) -> Book:
    path.write_bytes(data)
    return open_book(path, limits=limits or Limits(), settings=Settings(cache_dir=path.parent / "cache"))


def error_of(path: Path, data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(BookError) as caught, opened(path, data, limits):
        pass
    assert str(path) in str(caught.value.message)
    assert caught.value.remedy
    return str(caught.value)


def packed(pages: dict[str, bytes], *, solid: bool = False) -> bytes:
    return rar5([RarMember(name, data, packed=True) for name, data in pages.items()], solid=solid)


@pytest.fixture
def cbr(tmp_path: Path) -> Path:
    return tmp_path / "volume.cbr"


# ---- what is read how ----


@BOTH
def test_stored_pages_are_read_where_they_lie_and_need_no_program(
    cbr: Path, made: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with opened(cbr, made([RarMember(name, data) for name, data in PAGES.items()])) as book:
        assert {page.name: book.read(page.name) for page in book.pages} == PAGES
    assert not (cbr.parent / "cache").exists()


@pytest.mark.parametrize("solid", [False, True])
def test_compressed_pages_are_unpacked_once_and_read_in_any_order(cbr: Path, solid: bool) -> None:
    names = random.Random(1).sample(list(PAGES), len(PAGES))
    with opened(cbr, packed(PAGES, solid=solid)) as book:
        assert {name: book.read(name) for name in names} == PAGES
        assert len(list((cbr.parent / "cache" / "spool").glob("*/[0-9]*"))) == len(PAGES)


@pytest.mark.parametrize("name", ["第１話/001 表紙.jpg", "é.jpg"])
@BOTH
def test_names_in_other_scripts(cbr: Path, made: type, name: str) -> None:
    with opened(cbr, made([RarMember(name)])) as book:
        assert [page.name for page in book.pages] == [name]


def test_legacy_names_are_guessed_together(cbr: Path) -> None:
    names = ["第1话 封面.jpg", "第2话 目录.jpg", "番外篇.jpg"]
    with opened(cbr, rar4([RarMember(name.encode("gb18030")) for name in names])) as book:
        assert {page.name for page in book.pages} == set(names)


def test_a_copy_within_is_read_as_what_it_points_to(cbr: Path) -> None:
    copy = RarMember("2.jpg", link="1.jpg", link_type=5)
    with opened(cbr, rar5([PAGE, copy])) as book:
        assert (book.read("1.jpg"), book.read("2.jpg")) == (JPEG, JPEG)


def test_content_decides_what_is_a_rar(tmp_path: Path) -> None:
    with opened(tmp_path / "a.cbz", rar5([PAGE])) as book:
        assert book.read("1.jpg") == JPEG


# ---- programs ----


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is all of PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    unpackers_module._knows_rar.cache_clear()
    yield folder
    unpackers_module._knows_rar.cache_clear()


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


on_posix = pytest.mark.skipif(os.name == "nt", reason="programs are scripts here")
GIVE_ALL = f"sys.stdout.buffer.write(bytes.fromhex('{b''.join(PAGES.values()).hex()}'))"


@pytest.mark.usefixtures("programs")
def test_without_a_program_the_error_names_what_to_install(cbr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for system, remedy in {"linux": "apt install", "darwin": "brew install", "win32": "7-zip.org"}.items():
        monkeypatch.setattr(sys, "platform", system)
        said = error_of(cbr, packed(PAGES))
        assert "no program here that unpacks rar" in said
        assert remedy in said


@on_posix
def test_a_7zip_without_rar_does_not_count(cbr: Path, programs: Path) -> None:
    program(programs, "7zz", "print('Formats: 7z zip')")
    assert "no program here" in error_of(cbr, packed(PAGES))


@on_posix
def test_a_7zip_with_rar_counts(cbr: Path, programs: Path) -> None:
    program(programs, "7zz", f"print('Codecs: Rar5') if sys.argv[1] == 'i' else {GIVE_ALL}")
    with opened(cbr, packed(PAGES)) as book:
        assert book.read("11.jpg") == PAGES["11.jpg"]


@on_posix
def test_what_one_program_cannot_unpack_the_next_may(cbr: Path, programs: Path) -> None:
    program(programs, "unrar", "sys.stdout.write('nonsense'); sys.exit(3)")
    program(programs, "unar", GIVE_ALL)
    with opened(cbr, packed(PAGES)) as book:
        assert {page.name: book.read(page.name) for page in book.pages} == PAGES


@on_posix
def test_a_silent_program_is_ended(cbr: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "unrar", "time.sleep(600)")
    monkeypatch.setattr(unpackers_module, "_SILENT_S", 0.3)
    with opened(cbr, packed(PAGES)) as book, pytest.raises(BookError, match=r"cannot be unpacked|checksum"):
        book.read("00.jpg")


@on_posix
def test_a_program_that_never_ends_writing_is_ended(cbr: Path, programs: Path) -> None:
    program(programs, "unrar", f"{GIVE_ALL}\nwhile True: sys.stdout.buffer.write(bytes(100000))")
    with opened(cbr, packed(PAGES)) as book:
        assert book.read("11.jpg") == PAGES["11.jpg"]


@on_posix
def test_a_refused_member_that_does_not_end_is_left_when_the_book_is_closed(cbr: Path, programs: Path) -> None:
    begun = programs / "begun"
    writing = "while True: sys.stdout.buffer.write(bytes(100000))"
    program(programs, "unrar", f"sys.stdout.buffer.write(bytes(1000000))\nopen({str(begun)!r}, 'w')\n{writing}")
    huge = RarMember("../huge.jpg", packed=True, stated_bytes=1 << 40)
    book = opened(cbr, rar5([huge, RarMember("1.jpg", packed=True)]), Limits(max_total_bytes=1 << 50))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(book.read, "1.jpg")
        while not begun.exists():  # the first megabyte was taken: the pipe holds less
            time.sleep(0.01)
        book.close()
        with pytest.raises(BookError, match="was closed"):
            reading.result(60)


def test_what_is_refused_counts_too_since_it_is_unpacked_on_the_way(cbr: Path) -> None:
    huge = RarMember("../huge.jpg", packed=True, stated_bytes=1 << 40)
    assert "unpacks to more than" in error_of(cbr, rar5([huge, RarMember("1.jpg", packed=True)]))
    with opened(cbr, rar5([RarMember("../huge.jpg", stated_bytes=1 << 40), PAGE])) as book:  # stored: never met
        assert book.read(book.pages[0].name) == JPEG


@on_posix
def test_some_programs_write_out_links_and_some_do_not(cbr: Path, programs: Path) -> None:
    link = RarMember("0.jpg", link="target", link_type=1, stated_bytes=6)
    pages = [RarMember(name, data, packed=True) for name, data in PAGES.items()]
    program(programs, "unrar", f"sys.stdout.buffer.write(b'target')\n{GIVE_ALL}")
    with opened(cbr, rar5([link, *pages])) as book:
        assert book.read("11.jpg") == PAGES["11.jpg"]
    program(programs, "unrar", GIVE_ALL)
    with opened(cbr.with_name("b.cbr"), rar5([link, *pages])) as book:
        assert book.read("11.jpg") == PAGES["11.jpg"]


# ---- what must not or cannot be read ----


@BOTH
def test_a_flipped_byte_costs_one_page(cbr: Path, made: type) -> None:
    with opened(cbr, made([PAGE, RarMember("2.jpg", crc=1)])) as book:
        with pytest.raises(BookError, match=r"2\.jpg is damaged"):
            book.read("2.jpg")
        assert book.read("1.jpg") == JPEG


def test_a_flipped_byte_in_compressed_pages_costs_one_page(cbr: Path) -> None:
    pages = [RarMember(name, data, packed=True, crc=1 if name == "03.jpg" else None) for name, data in PAGES.items()]
    with opened(cbr, rar5(pages)) as book:
        with pytest.raises(BookError, match=r"03\.jpg is damaged"):
            book.read("03.jpg")
        assert book.read("00.jpg") == PAGES["00.jpg"]


@pytest.mark.parametrize("name", ["../1.jpg", "/etc/1.jpg", "C:/1.jpg", "a/../../1.jpg"])
@BOTH
def test_a_name_that_leads_out_costs_only_itself(cbr: Path, made: type, name: str) -> None:
    with opened(cbr, made([PAGE, RarMember(name)])) as book:
        assert [page.name for page in book.pages] == ["1.jpg"]
        assert "leads out of the book" in str(book.problems[0].error)


def test_links_are_refused(cbr: Path) -> None:
    with opened(cbr, rar5([PAGE, RarMember("2.jpg", link="/etc/passwd")])) as book:
        assert "is a link" in str(book.problems[0].error)
    with opened(cbr, rar4([PAGE, RarMember("2.jpg", b"/etc/passwd", mode=SYMLINK)])) as book:
        assert "is a link" in str(book.problems[0].error)


@BOTH
def test_encrypted_members(cbr: Path, made: type) -> None:
    with opened(cbr, made([PAGE, RarMember("2.jpg", encrypted=True)])) as book:
        assert "is encrypted" in str(book.problems[0].error)
    assert "is encrypted" in error_of(cbr, made([RarMember("2.jpg", encrypted=True)]))


def test_encrypted_names(cbr: Path) -> None:
    assert "is encrypted" in error_of(cbr, rar4([PAGE], main_flags=0x80))


@pytest.mark.parametrize("missing", [1, 10, 25, 60])
@BOTH
def test_a_cut_file(cbr: Path, made: type, missing: int) -> None:
    """Without its last words, which old programs did not write, a rar is whole; any more is noticed."""
    last_words = 7 if made is rar4 else 8
    assert "cut short" in error_of(cbr, made([PAGE, RarMember("2.jpg")])[: -missing - last_words])


def test_a_later_part_names_the_first(cbr: Path) -> None:
    assert "Give the first part" in error_of(cbr, rar4([PAGE], main_flags=0x10 | 0x1))


@BOTH
def test_more_than_the_limits_allow(cbr: Path, made: type) -> None:
    pages = [RarMember(f"{number}.jpg") for number in range(5)]
    assert "more than 4 members" in error_of(cbr, made(pages), Limits(max_entries=4))
    assert "unpacks to more than" in error_of(cbr, made(pages), Limits(max_total_bytes=100))


def test_a_bomb_is_refused(cbr: Path) -> None:
    bomb = RarMember("2.jpg", stated_bytes=1 << 28, packed=True)
    with opened(cbr, rar5([PAGE, bomb])) as book:
        assert "as in a zip bomb" in str(book.problems[0].error)


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([rar4, rar5]), st.data())
def test_broken_bytes_end_in_clear_errors(
    tmp_path_factory: pytest.TempPathFactory, made: type, data: st.DataObject
) -> None:
    content = bytearray(made([PAGE, RarMember("2.jpg")]))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(7, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with opened(tmp_path_factory.mktemp("fuzz") / "a.rar", bytes(content)) as book:
            for page in book.pages:
                book.read(page.name)
    except BookError:
        pass
