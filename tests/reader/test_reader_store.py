"""The reader's file: durable, ours alone, brought forward, and told clearly when it cannot be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest

from enlarger.errors import DiskFullError, StorageError
from enlarger.reader import ReaderStore
from enlarger.reader.reader_store import VERSION, Progress, StoredIndex


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "storage" / "reader.sqlite"


def opened(path: Path) -> ReaderStore:
    ticks = count(1)
    return ReaderStore(path, clock=lambda: float(next(ticks)))


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    store = opened(path)
    store.add_root(path.parent)
    store.put_progress("book", 3, 20)
    store.put_document("options", {"enabled": True, "语言": "中文"})
    store.put_index(path, StoredIndex("1:2", 7, "[]"))
    store.close()
    again = opened(path)
    assert again.roots() == (path.parent,)
    assert again.progress("book") == Progress(3, 20, 2.0)
    assert again.document("options") == {"enabled": True, "语言": "中文"}
    assert again.index(path) == StoredIndex("1:2", 7, "[]")
    again.close()


def test_a_killed_process_loses_nothing_it_was_promised(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from enlarger.reader import ReaderStore\n"
        "store = ReaderStore(Path(sys.argv[1])); store.put_document('a', 1); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    store = opened(path)
    assert store.document("a") == 1
    store.close()


def test_what_is_not_there_is_none(path: Path) -> None:
    store = opened(path)
    assert (store.document("options"), store.progress("book"), store.index(path)) == (None, None, None)
    assert (store.roots(), store.recent(5), store.remove_root(path)) == ((), (), False)
    store.close()


def test_a_root_is_added_once_and_removed(path: Path, tmp_path: Path) -> None:
    store = opened(path)
    for name in ("b", "a", "b"):
        store.add_root(tmp_path / name)
    assert store.roots() == (tmp_path / "b", tmp_path / "a")
    assert store.remove_root(tmp_path / "b")
    assert store.roots() == (tmp_path / "a",)
    store.close()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_path_that_is_no_utf8_comes_back_as_it_was(path: Path) -> None:
    store = opened(path)
    odd = Path(os.fsdecode(b"/manga/\x8f\xac\xff"))
    store.add_root(odd)
    store.put_index(odd, StoredIndex("s", 1, "[]"))
    assert store.roots() == (odd,)
    assert store.stamps([odd, path]) == {odd: ("s", 1)}
    store.close()


def test_the_books_read_last_come_first(path: Path) -> None:
    store = opened(path)
    for book in ("a", "b", "c", "a"):
        store.put_progress(book, 1, 2)
    assert [book for book, _ in store.recent(2)] == ["a", "c"]
    store.close()


def test_progress_of_many_books_is_asked_at_once(path: Path) -> None:
    store = opened(path)
    for number in range(3):
        store.put_progress(f"b{number}", number, 10)
    found = store.progress_of([f"b{number}" for number in range(1200)])
    assert {book: each.page for book, each in found.items()} == {"b0": 0, "b1": 1, "b2": 2}
    store.close()


def test_what_is_remembered_has_a_bound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.reader.reader_store._MOST_INDEXES", 3)
    monkeypatch.setattr("enlarger.reader.reader_store._MOST_PROGRESS", 3)
    store = opened(path)
    for number in range(6):
        store.put_index(path / str(number), StoredIndex("s", 1, "[]"))
        store.put_progress(str(number), 0, 1)
    assert [number for number in range(6) if store.index(path / str(number))] == [3, 4, 5]
    assert [book for book, _ in store.recent(10)] == ["5", "4", "3"]
    store.close()


def test_threads_share_it(path: Path) -> None:
    store = opened(path)

    def write(name: str) -> None:
        for number in range(20):
            store.put_document(f"{name}{number}", number)
            assert store.document(f"{name}{number}") == number

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.document(f"{name}19") for name in "abcd"] == [19] * 4
    store.close()


def test_two_processes_may_have_it_open(path: Path) -> None:
    one, other = opened(path), opened(path)
    one.put_document("a", 1)
    assert other.document("a") == 1
    other.put_document("a", 2)
    assert one.document("a") == 2
    one.close()
    other.close()


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    opened(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer version"):
        opened(path)
    assert path.read_bytes() == before


def test_another_programs_file_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough for a header" * 40, b"SQLite format 3\0zz"]
)
def test_a_damaged_file_is_told(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        opened(path)
    assert path.read_bytes() == content


def test_a_network_disk_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.reader.reader_store.network_type", lambda _folder: "nfs4")
    with pytest.raises(StorageError, match="network file system"):
        opened(path)
    assert not path.exists()


def test_a_full_disk_is_told_and_nothing_is_half_written(path: Path) -> None:
    store = opened(path)
    store.put_document("a", 1)
    store._connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to what the file has
    with pytest.raises(DiskFullError):
        store.put_document("b", "x" * 1_000_000)
    assert store.document("b") is None
    store.put_document("a", 2)
    assert store.document("a") == 2
    store.close()


def test_a_first_version_file_is_opened(path: Path, tmp_path: Path) -> None:
    """Every step of the migrations is run from the file that the step before left."""
    opened(path).close()
    copy = tmp_path / "copy.sqlite"
    shutil.copy(path, copy)
    store = opened(copy)
    store.put_document("a", 1)
    store.close()
