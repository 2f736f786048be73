from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from document_making import write_seven_zip

from enlarger.books.spool import Spool
from enlarger.books.spooled import Packed, Sink, Spooled
from enlarger.errors import BookError, DiskFullError
from enlarger.messages import msg
from enlarger.settings import Settings

PAGE_BYTES = 1000


def page(index: int) -> bytes:
    return random.Random(index).randbytes(PAGE_BYTES)


class Archive:
    """A made-up archive that counts how often it is unpacked, and can be held up or broken at a member."""

    def __init__(self, path: Path, count: int = 5) -> None:
        path.write_bytes(path.name.encode())
        self.path = path
        self.count = count
        self.runs = 0
        self.handed_over: list[int] = []
        self.before: Callable[[int], None] = lambda index: None
        self.bytes_of = page

    def unpack(self, sink: Sink) -> None:
        self.runs += 1
        for index in range(self.count):
            self.before(index)
            sink.begin(index)
            sink.write(self.bytes_of(index)[:400])
            sink.write(self.bytes_of(index)[400:])
            sink.end()
            self.handed_over.append(index)

    def opened(self, spool: Spool) -> Spooled:
        members = {
            index: Packed(index, f"{index}.jpg", PAGE_BYTES, zlib.crc32(page(index))) for index in range(self.count)
        }
        return Spooled(spool, self.path, members, self.unpack)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", 20 * PAGE_BYTES)


def read(spooled: Spooled, index: int) -> bytes:
    return b"".join(spooled.stream(index))


def places(spool: Spool) -> list[Path]:
    return [path for path in spool.folder.iterdir() if path.is_dir()]


def read_all(spooled: Spooled, order: Sequence[int]) -> None:
    assert [read(spooled, index) for index in order] == [page(index) for index in order]


def test_three_hundred_pages_in_any_order_are_unpacked_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a.7z", 300)
    order = random.Random(1).sample(range(300), 300)
    spooled = archive.opened(Spool(tmp_path / "spool", 300 * PAGE_BYTES))
    read_all(spooled, order)
    spooled.close()
    assert archive.runs == 1


def test_what_one_unpacked_others_find(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    read_all(archive.opened(spool), [4])
    read_all(archive.opened(spool), [0, 1, 2, 3, 4])
    assert archive.runs == 1


def test_many_at_once_unpack_once(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    books = [archive.opened(spool) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda book: read_all(book, [3, 0, 4]), books))
    assert archive.runs == 1


def test_a_page_is_given_as_soon_as_it_is_there(tmp_path: Path, spool: Spool) -> None:
    archive, go_on = Archive(tmp_path / "a.7z"), threading.Event()
    archive.before = lambda index: None if index < 2 else go_on.wait(30)
    spooled = archive.opened(spool)
    read_all(spooled, [0, 1])
    assert archive.handed_over == [0, 1]
    go_on.set()
    read_all(spooled, [4])


def test_closing_stops_the_first_unpacking_and_the_second_goes_to_its_end(tmp_path: Path, spool: Spool) -> None:
    archive, go_on = Archive(tmp_path / "a.7z"), threading.Event()
    archive.before = lambda index: None if index < 1 else go_on.wait(0.2)
    cover = archive.opened(spool)
    read_all(cover, [0])
    cover.close()
    assert len(archive.handed_over) < archive.count
    again = archive.opened(spool)
    read_all(again, [1])
    again.close()
    go_on.set()
    while len(list(places(spool)[0].iterdir())) < archive.count + 1:  # the members, and what they take
        time.sleep(0.01)
    read_all(archive.opened(spool), range(5))
    assert archive.runs == 2


def test_what_a_cover_unpacked_is_all_that_stays_reserved(tmp_path: Path, spool: Spool) -> None:
    archive, go_on = Archive(tmp_path / "a.7z"), threading.Event()
    archive.before = lambda index: None if index < 1 else go_on.wait(0.2)
    cover = archive.opened(spool)
    read_all(cover, [0])
    cover.close()
    go_on.set()
    (place,) = places(spool)
    assert (place / "stated-bytes").read_text() == str(len(archive.handed_over) * PAGE_BYTES)
    read_all(archive.opened(spool), [4])
    assert (place / "stated-bytes").read_text() == str(5 * PAGE_BYTES)


@dataclass(frozen=True)
class HeldUpSpool(Spool):
    """Takes its time to say whether an archive was begun before."""

    asked: threading.Event = field(default_factory=threading.Event)
    answer: threading.Event = field(default_factory=threading.Event)

    def was_begun(self, place: Path) -> bool:
        self.asked.set()
        self.answer.wait(30)
        return super().was_begun(place)


def test_closing_does_not_wait_for_a_run_that_goes_to_its_end(tmp_path: Path, spool: Spool) -> None:
    archive, go_on = Archive(tmp_path / "a.7z"), threading.Event()
    spool.reserve(spool.place(archive.path), PAGE_BYTES, threading.Event())  # begun once, by somebody who was killed
    archive.before = lambda index: go_on.wait(30)
    held_up = HeldUpSpool(spool.folder, spool.max_bytes)
    book = archive.opened(held_up)
    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(read, book, 4)
        held_up.asked.wait(30)
        closing = threads.submit(book.close)  # just then
        held_up.answer.set()
        try:
            closing.result(20)
        finally:
            go_on.set()
        assert reading.result(20) == page(4)


def test_a_closed_book_unpacks_no_more(tmp_path: Path, spool: Spool) -> None:
    spooled = Archive(tmp_path / "a.7z").opened(spool)
    spooled.close()
    with pytest.raises(BookError, match="was closed"):
        read(spooled, 0)


def test_a_damaged_member_costs_only_itself(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    archive.bytes_of = lambda index: page(9) if index == 2 else page(index)
    spooled = archive.opened(spool)
    with pytest.raises(BookError, match=r"2\.jpg is damaged"):
        read(spooled, 2)
    read_all(spooled, [0, 1, 3, 4])


@pytest.mark.parametrize("found", [PAGE_BYTES - 1, PAGE_BYTES + 1, 50 * PAGE_BYTES])
def test_a_member_of_another_length_than_stated(tmp_path: Path, spool: Spool, found: int) -> None:
    archive = Archive(tmp_path / "a.7z")
    archive.bytes_of = lambda index: bytes(found) if index == 2 else page(index)
    spooled = archive.opened(spool)
    with pytest.raises(BookError, match="damaged"):
        read(spooled, 2)
    read_all(spooled, [1, 3])
    kept = [file.stat().st_size for file in places(spool)[0].iterdir()]
    assert max(kept) == PAGE_BYTES


@pytest.mark.parametrize("content", [b"", b"lost with the power", bytes(PAGE_BYTES)])
def test_what_the_disk_lost_is_unpacked_again(tmp_path: Path, spool: Spool, content: bytes) -> None:
    archive = Archive(tmp_path / "a.7z")
    read_all(archive.opened(spool), range(5))
    (places(spool)[0] / "3").write_bytes(content)
    read_all(archive.opened(spool), [3])
    assert archive.runs == 2


def test_what_the_disk_lost_is_closed_before_it_is_deleted(
    tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path / "a.7z")
    read_all(archive.opened(spool), range(5))
    lost = places(spool)[0] / "3"
    lost.write_bytes(b"lost with the power")
    removed = []

    def as_on_windows(path: Path) -> None:
        assert str(path) not in {each.path for each in psutil.Process().open_files()}
        removed.append(path)
        path.unlink(missing_ok=True)

    monkeypatch.setattr("enlarger.books.spooled.remove", as_on_windows)
    read_all(archive.opened(spool), [3])
    assert lost in removed


def test_what_was_dropped_while_open_is_unpacked_again(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    spooled = archive.opened(spool)
    read_all(spooled, range(5))
    (places(spool)[0] / "3").unlink()
    read_all(spooled, [3, 4])
    assert archive.runs == 2


def test_an_archive_that_changed_is_another_one(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    read_all(archive.opened(spool), [0])
    archive.path.write_bytes(b"changed and longer")
    read_all(archive.opened(spool), [0])
    assert archive.runs == 2


def test_the_spool_stays_within_its_bounds_and_drops_the_longest_unused(tmp_path: Path, spool: Spool) -> None:
    archives = [Archive(tmp_path / f"{number}.7z") for number in range(4)]
    for number, archive in enumerate(archives):
        read_all(archive.opened(spool), range(5))
        os.utime(spool.place(archive.path), (time.time() + number - 100,) * 2)
    assert len(places(spool)) == 4
    read_all(archives[0].opened(spool), [0])  # used: not the first to go
    read_all(Archive(tmp_path / "new.7z", 8).opened(spool), [7])
    kept = [archive for archive in archives if spool.place(archive.path).exists()]
    assert kept == [archives[0], archives[3]]
    assert sum(file.stat().st_size for place in places(spool) for file in place.iterdir()) <= spool.max_bytes + 100


def test_what_was_not_used_for_a_day_goes(tmp_path: Path, spool: Spool) -> None:
    old = Archive(tmp_path / "old.7z")
    read_all(old.opened(spool), range(5))
    os.utime(spool.place(old.path), (time.time() - 90_000,) * 2)
    read_all(Archive(tmp_path / "new.7z").opened(spool), [4])
    assert not spool.place(old.path).exists()


def test_an_archive_larger_than_the_spool_is_refused_at_once(tmp_path: Path, spool: Spool) -> None:
    with pytest.raises(BookError) as caught:
        Archive(tmp_path / "a.7z", 30).opened(spool)
    assert "ENLARGER_SPOOL_MAX_BYTES" in str(caught.value.remedy)


def test_a_full_disk_is_said_and_may_be_mended(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")

    def full(index: int) -> None:
        if index == 2:
            raise DiskFullError(msg("{path}: the disk is full.", path=spool.folder))

    archive.before = full
    spooled = archive.opened(spool)
    with pytest.raises(DiskFullError):
        read(spooled, 4)
    read_all(spooled, [0, 1])
    archive.before = lambda index: None
    read_all(spooled, [4])


def test_whatever_goes_wrong_is_heard_of(tmp_path: Path, spool: Spool) -> None:
    archive = Archive(tmp_path / "a.7z")
    archive.before = lambda index: [][index]
    with pytest.raises(BookError, match="list index out of range"):
        read(archive.opened(spool), 0)


_KILLED = """
import os, signal, sys
from pathlib import Path
from enlarger.books import open_book
from enlarger.settings import Settings
import enlarger.books.spooled as spooled

def end(self):
    if self._current.index == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self)

real, spooled.Sink.end = spooled.Sink.end, end
open_book(Path(sys.argv[1]), settings=Settings(cache_dir=sys.argv[2])).read("4.jpg")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_killed_unpacking_leaves_nothing_that_counts(tmp_path: Path) -> None:
    from enlarger.books import open_book

    pages = {f"{number}.jpg": page(number) for number in range(5)}
    path = write_seven_zip(tmp_path / "a.7z", pages)
    command = [sys.executable, "-c", _KILLED, str(path), str(tmp_path / "cache")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    settings = Settings(cache_dir=tmp_path / "cache")
    [place] = places(Spool.of(settings))
    assert {file.name for file in place.iterdir() if not file.name.startswith(".")} == {"stated-bytes", "0", "1"}
    with open_book(path, settings=settings) as book:
        assert {name: book.read(name) for name in pages} == pages
    assert {file.name for file in place.iterdir()} == {"stated-bytes", *"01234"}
