from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.books import Stream, Written, open_book, write_cbz
from enlarger.errors import BookError, CancelledError, StorageError
from enlarger.messages import msg
from enlarger.storage import TEMPORARY_PREFIX

NAMES = st.text(st.sampled_from("abc1é第話 .-~"), min_size=1, max_size=12).map(lambda stem: f"v/x{stem}.png")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "第一卷.cbz"


def nothing_left(target: Path) -> bool:
    return not target.exists() and not list(target.parent.glob(f"{TEMPORARY_PREFIX}*"))


def test_members_come_in_the_order_given_pictures_stored(target: Path, tmp_path: Path) -> None:
    (tmp_path / "render").write_bytes(b"ten")
    write_cbz(target, [("10.webp", tmp_path / "render"), ("ComicInfo.xml", b"<ComicInfo/>" * 9), ("a/2.webp", b"two")])
    with ZipFile(target) as archive:
        assert archive.namelist() == ["10.webp", "ComicInfo.xml", "a/2.webp"]
        assert [info.compress_type for info in archive.infolist()] == [ZIP_STORED, ZIP_DEFLATED, ZIP_STORED]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
        assert archive.read("10.webp") == b"ten"
        assert archive.testzip() is None


def test_the_same_pages_make_the_same_bytes(target: Path, tmp_path: Path) -> None:
    (tmp_path / "render").write_bytes(b"one")
    write_cbz(target, [("1.png", tmp_path / "render"), ("notes.txt", b"words")])
    first = target.read_bytes()
    os.utime(tmp_path / "render", (0, 0))
    (tmp_path / "render").chmod(0o600)
    write_cbz(target, [("1.png", b"one"), ("notes.txt", b"words")])
    assert target.read_bytes() == first


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=6))
def test_what_goes_out_comes_in(target: Path, members: dict[str, bytes]) -> None:
    write_cbz(target, members.items())
    with open_book(target) as book:
        assert {page.name: book.read(page.name) for page in book.pages} == members


def test_files_are_copied_in_chunks(target: Path, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    write_cbz(target, [("1.png", tmp_path / "large")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
    assert target.stat().st_size > 64 << 20


def test_a_member_may_be_made_while_the_archive_grows(target: Path, tmp_path: Path) -> None:
    def members() -> Iterator[tuple[str, Path]]:
        for number in range(3):
            (tmp_path / "render").write_bytes(b"%d" % number)
            yield f"{number}.png", tmp_path / "render"

    write_cbz(target, members())
    with ZipFile(target) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"0", b"1", b"2"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_digest_is_that_of_the_file(target: Path, tmp_path: Path, count: int) -> None:
    (tmp_path / "render").write_bytes(bytes(range(256)) * 10_000)
    written = write_cbz(target, [(f"{number}.png", tmp_path / "render") for number in range(count)])
    data = target.read_bytes()
    assert written == Written(hashlib.sha256(data).hexdigest(), len(data))


def test_nothing_is_deflated_where_that_is_asked_for(target: Path) -> None:
    write_cbz(target, [("1.png", b"one"), ("notes.txt", b"words" * 9)], deflates=False)
    with ZipFile(target) as archive:
        assert [info.compress_type for info in archive.infolist()] == [ZIP_STORED, ZIP_STORED]
        assert [info.flag_bits & 8 for info in archive.infolist()] == [0, 0]  # sizes stand before the bytes


def test_a_stream_is_taken_chunk_by_chunk(target: Path) -> None:
    write_cbz(target, [("1.png", Stream(6, iter([b"one", b"two"])))])
    with ZipFile(target) as archive:
        assert archive.read("1.png") == b"onetwo"


def test_the_temporary_name_begins_with_the_label(target: Path) -> None:
    seen: list[str] = []

    def members() -> Iterator[tuple[str, bytes]]:
        seen.extend(path.name for path in target.parent.iterdir())
        yield "1.png", b"one"

    write_cbz(target, members(), label="a job-1-")
    assert [name.startswith(f"{TEMPORARY_PREFIX}a job-1-") for name in seen] == [True]


def test_an_unfinished_archive_leaves_nothing(target: Path) -> None:
    def members() -> Iterator[tuple[str, bytes]]:
        yield "1.png", b"one"
        raise CancelledError(msg("Stopped on request."))

    with pytest.raises(CancelledError):
        write_cbz(target, members())
    assert nothing_left(target)


def test_a_missing_render_is_named(target: Path, tmp_path: Path) -> None:
    with pytest.raises(BookError, match="missing: cannot be read"):
        write_cbz(target, [("1.png", tmp_path / "missing")])
    assert nothing_left(target)


def test_one_name_is_not_written_twice(target: Path) -> None:
    with pytest.raises(ValueError, match="two members"):
        write_cbz(target, [("1.png", b"one"), ("1.png", b"two")])
    assert nothing_left(target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
def test_a_full_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = Path.open

    def full(path: Path, mode: str = "r") -> IO[Any]:
        return real_open(Path("/dev/full"), "r+b") if mode == "xb" else real_open(path, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_cbz(tmp_path / "1.cbz", [("1.png", bytes(1 << 20))])


@pytest.mark.slow
def test_zip64_where_sizes_ask_for_it(target: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((4 << 30) + 5)
    try:
        write_cbz(target, [("1.png", large), ("2.png", b"two")])
        with ZipFile(target) as archive:
            assert archive.getinfo("1.png").file_size == (4 << 30) + 5
            assert archive.read("2.png") == b"two"
        with open_book(target) as book:
            assert [problem.name for problem in book.problems] == ["1.png"]
            assert book.read("2.png") == b"two"
    finally:
        target.unlink(missing_ok=True)
