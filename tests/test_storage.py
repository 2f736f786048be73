"""Files are whole or absent: whatever stops the writer, and whatever the disk says."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from enlarger.errors import StorageError
from enlarger.storage import TEMPORARY_PREFIX, atomic_file, drop_temporaries, make_folder, storage_errors, write_atomic

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX only")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_writes_and_makes_folders(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "页.bin"
    write_atomic(target, b"data")
    assert target.read_bytes() == b"data"
    assert names(target.parent) == [target.name]


@posix
def test_every_folder_that_is_made_is_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noted(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    write_atomic(tmp_path / "title" / "volume" / "job" / "page.png", b"data")
    above_the_job = (tmp_path, tmp_path / "title", tmp_path / "title" / "volume")
    assert synced[:3] == [folder.stat().st_ino for folder in above_the_job]
    assert synced[4:] == [(tmp_path / "title" / "volume" / "job").stat().st_ino]
    synced.clear()
    make_folder(tmp_path / "title" / "volume")
    assert synced == []


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "title").touch()
    with pytest.raises(StorageError):
        write_atomic(tmp_path / "title" / "volume" / "page.png", b"data")


def test_what_a_killed_writer_left_is_known_by_its_label(tmp_path: Path) -> None:
    for name in ("a[1]-0-x", "a[1]-1-y", "a1-0-z"):
        (tmp_path / f"{TEMPORARY_PREFIX}{name}").touch()
    (tmp_path / "a[1]-0").touch()
    drop_temporaries(tmp_path, "a[1]-")
    assert names(tmp_path) == [f"{TEMPORARY_PREFIX}a1-0-z", "a[1]-0"]
    drop_temporaries(tmp_path / "never made", "a")


def test_an_exception_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "page.png"
    write_atomic(target, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_file(target) as file:  # noqa: PT012 the block is what is tested
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["page.png"]


def test_the_target_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "page.png"
    with atomic_file(target) as file:
        file.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"


@posix
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_killed_writer_leaves_no_half_file(tmp_path: Path, old: bytes | None) -> None:
    target = tmp_path / "page.png"
    if old is not None:
        target.write_bytes(old)
    killed = run(
        """
        import os, signal, sys
        from pathlib import Path
        from enlarger.storage import atomic_file
        with atomic_file(Path(sys.argv[1])) as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        target,
    )
    assert killed.returncode == -9, killed.stderr
    assert (target.read_bytes() if target.exists() else None) == old
    left = [name for name in names(tmp_path) if name != target.name]
    assert all(name.startswith(TEMPORARY_PREFIX) for name in left)  # what a later clean-up knows by name


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(tmp_path / "page.png"):
        Path("/dev/full").write_bytes(b"x")
    assert "page.png" in caught.value.text("en")
    assert "full" in caught.value.text("en")
    assert caught.value.remedy is not None


@posix
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare")
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A disk of 64 KiB, in a mount namespace of its own so that nothing of it outlives the test."""
    done = run(
        """
        import os, subprocess, sys
        from pathlib import Path
        from enlarger.errors import StorageError
        from enlarger.storage import write_atomic
        folder = Path(sys.argv[1])
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).returncode:
            sys.exit(77)
        try:
            write_atomic(folder / "page.png", bytes(1 << 20))
        except StorageError as error:
            print(error.text("en"), os.listdir(folder))
        """,
        tmp_path,
        prefix=("unshare", "--map-root-user", "--mount"),
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("mount namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert "the disk is full" in done.stdout
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_refused_write_says_where_else(tmp_path: Path, number: int) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(tmp_path / "page.png"):
        raise OSError(number, os.strerror(number))
    assert "not allowed" in caught.value.text("en")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_file_in_place_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"):
        write_atomic(tmp_path / "file" / "page.png", b"data")


def test_a_folder_in_place_of_the_target_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "page.png").mkdir()
    with pytest.raises(StorageError, match=r"page\.png"):
        write_atomic(tmp_path / "page.png", b"data")
    assert names(tmp_path) == ["page.png"]


@posix
def test_results_get_the_users_own_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "page.png", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "page.png").stat().st_mode & 0o777 == 0o640
