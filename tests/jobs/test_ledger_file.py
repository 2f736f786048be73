"""The ledger's file: what it survives, and what is refused before anything is written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ledger_making import NO_LIMIT, add_job, new_ledger, new_pages, result, submission, types, work
from sqlalchemy.exc import DBAPIError, OperationalError

from enlarger.errors import DiskFullError, LedgerError, StorageError
from enlarger.jobs import JobState
from enlarger.jobs.ledger import Ledger, open_ledger
from enlarger.jobs.ledger_errors import ledger_errors
from enlarger.jobs.ledger_file import open_ledger_file
from enlarger.jobs.network_disks import network_type


def test_everything_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.sqlite"
    ledger = open_ledger(path)
    job = add_job(ledger, "a", "b")
    work(ledger, 1)
    before = ledger.get(job), ledger.pages(job), ledger.events(job)
    ledger.close()
    again = open_ledger(path)
    assert (again.get(job), again.pages(job), again.events(job)) == before
    again.close()


def test_commits_are_on_the_disk_and_readers_do_not_wait(tmp_path: Path) -> None:
    file = open_ledger_file(tmp_path / "ledger.sqlite")
    with file.write() as writer, file.read() as reader:
        for connection in (writer, reader):
            asked = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _PROMISED}
            assert asked == _PROMISED
    file.close()


_PROMISED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_a_change_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    job = add_job(ledger)
    with pytest.raises(DBAPIError):  # two pages of one name: after the first was written
        ledger.add_pages(job, new_pages("a", "a"))
    assert (ledger.pages(job), types(ledger, job)) == ([], ["submitted"])
    assert ledger.add_pages(job, new_pages("a")).listed
    ledger.close()


def test_threads_share_one_ledger(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    job = add_job(ledger, *map(str, range(40)))
    claimed: list[str] = []

    def run() -> None:
        while (claim := ledger.claim(worker=threading.current_thread().name, idle=True)) is not None:
            ledger.get(job)
            assert ledger.finish(claim, result(claim.page.name))
            claimed.append(claim.page.name)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed, key=int) == [str(n) for n in range(40)]
    assert [event.number for event in ledger.events(job)] == list(range(1, 45))
    assert ledger.get(job).state is JobState.PACKING
    ledger.close()


# ---- refused ----


def _refused(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(LedgerError) as refusal:
        open_ledger(path)
    assert str(path) in refusal.value.message.text("en")
    assert refusal.value.remedy is not None
    assert path.read_bytes() == before, "nothing was written"
    return refusal.value.message.text("en")


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    assert "newer version" in _refused(path)


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 500)


def _torn(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _scribbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 5] = b"\xa5" * 4096 * 3
    path.write_bytes(data)


def _foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("damage", [_garbage, _torn, _scribbled, _foreign], ids=lambda damage: damage.__name__)
def test_a_broken_or_foreign_file_is_refused(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    new_ledger(tmp_path).close()
    damage(tmp_path / "ledger.sqlite")
    assert "damaged, or not a ledger" in _refused(tmp_path / "ledger.sqlite")


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError):
        open_ledger(tmp_path)


def test_a_file_where_a_folder_should_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        open_ledger(tmp_path / "file" / "ledger.sqlite")


# ---- other machines' disks ----


@dataclass(frozen=True)
class Disk:
    mountpoint: str
    fstype: str
    opts: str = "rw"


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smbfs", "smb3", "sshfs", "fuse.sshfs", "9p", "davfs", "fuse.davfs2", "NFS", "fuse.rclone"],
)
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    disks = [Disk("/", "ext4"), Disk(str(tmp_path), kind)]
    with pytest.raises(LedgerError) as refusal:
        open_ledger(tmp_path / "storage" / "ledger.sqlite", partitions=lambda: disks)
    assert kind in refusal.value.text("en")
    assert list(tmp_path.iterdir()) == []


def test_the_innermost_disk_counts_and_of_two_at_one_place_the_later(tmp_path: Path) -> None:
    inside = tmp_path / "local" / "storage"
    root, share = Disk("/", "ext4"), Disk(str(tmp_path), "nfs4")
    assert network_type(inside, lambda: [root, share]) == "nfs4"
    assert network_type(inside, lambda: [Disk(str(tmp_path / "local"), "btrfs"), root, share]) == ""
    assert network_type(inside, lambda: [share, Disk(str(tmp_path), "tmpfs")]) == ""
    assert network_type(inside, lambda: [root, Disk(str(tmp_path / "loc"), "nfs")]) == "", "another folder's name"
    assert network_type(inside, lambda: [root, Disk(str(tmp_path), "NTFS", "rw,remote")]) == "remote"
    assert network_type(inside, list) == ""


def test_a_link_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    disks = [Disk("/", "ext4"), Disk(str(tmp_path / "share"), "cifs")]
    assert network_type(tmp_path / "link" / "storage", lambda: disks) == "cifs"


# ---- disks that fail ----


def test_on_a_full_disk_nothing_is_half_written_and_with_room_it_goes_on(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    file = open_ledger_file(tmp_path / "ledger.sqlite")
    ledger = Ledger(file)
    job = add_job(ledger, "a")
    claim = ledger.claim(worker="w", idle=True)
    assert claim is not None
    with file.write() as connection:
        size = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {size}")
    accepted = [job]
    with pytest.raises(DiskFullError) as full:
        accepted.extend(add_job(ledger, params={"long": "x" * 5000}) for _ in range(100))
    assert str(tmp_path) in full.value.text("en")
    assert {job.id for job in ledger.find(limit=1000)[0]} == set(accepted), "what was acknowledged, and no more"
    assert ledger.page(job, 0) == claim.page
    with file.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert ledger.finish(claim, result("a"))
    assert ledger.submit(submission(params={"long": "x" * 5000}), most_waiting=NO_LIMIT)[1]
    ledger.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, DiskFullError),
        (sqlite3.SQLITE_IOERR, LedgerError),
        (sqlite3.SQLITE_IOERR_FSYNC, LedgerError),
        (sqlite3.SQLITE_READONLY_DBMOVED, LedgerError),
        (sqlite3.SQLITE_CANTOPEN, LedgerError),
        (sqlite3.SQLITE_BUSY, LedgerError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LedgerError),
        (sqlite3.SQLITE_CORRUPT_INDEX, LedgerError),
        (sqlite3.SQLITE_NOTADB, LedgerError),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, OperationalError),  # a bug stays one
        (None, OperationalError),
    ],
)
def test_what_sqlite_reports_becomes_a_clear_error(tmp_path: Path, code: int | None, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("it says")
    if code is not None:
        error.sqlite_errorcode = code
    with pytest.raises(kind) as raised, ledger_errors(tmp_path / "ledger.sqlite"):
        raise OperationalError("SELECT 1", {}, error)
    assert type(raised.value) is kind
    if isinstance(raised.value, StorageError):
        assert str(tmp_path) in raised.value.text("en")


# ---- the price of the room ----


def test_importing_the_room_loads_no_database(tmp_path: Path) -> None:
    code = "import sys, enlarger.jobs; print(*sorted(set(sys.modules) & {'sqlalchemy', 'alembic'}))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []


def test_a_ledger_of_this_version_is_opened_without_alembic(tmp_path: Path) -> None:
    new_ledger(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    code = "import sys; from pathlib import Path; from enlarger.jobs.ledger import open_ledger\n"
    code += "open_ledger(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code, str(path)], text=True).strip() == "False"
