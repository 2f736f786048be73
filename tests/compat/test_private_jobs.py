"""Private jobs: nobody's root is taken for an abandoned one, and none is left behind."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest
from compat_workers import gated_crew, settings_in

import enlarger.compat.private_jobs as own
from enlarger.compat.private_jobs import private_jobs
from enlarger.errors import RuntimeFailedError, StorageError
from enlarger.jobs import StorageRoot


def test_two_have_roots_of_their_own_and_what_nobody_holds_is_cleared(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    folder = settings.cache_dir / "tasks"
    abandoned = folder / "abandoned"
    (abandoned / "staging").mkdir(parents=True)
    with private_jobs(settings, gated_crew(tmp_path)) as first:
        assert not abandoned.exists()
        assert first.storage.root.parent == folder
        with private_jobs(settings, gated_crew(tmp_path)) as second:
            assert first.storage.root.is_dir()
            assert second.storage.root != first.storage.root
            with pytest.raises(StorageError), StorageRoot(first.storage.root).held():
                pass
        assert first.storage.root.is_dir()
    assert [path.name for path in folder.iterdir()] == [".roots.lock"]


def test_tasks_stay_until_they_are_removed_whatever_a_server_is_told_to_keep(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, keep_jobs_days=0.001, keep_jobs_bytes=1, max_waiting_jobs=1)
    with private_jobs(settings, gated_crew(tmp_path)) as jobs:
        assert (jobs.settings.keep_jobs_days, jobs.settings.keep_jobs_bytes) == (0, 0)
        assert jobs.settings.max_waiting_jobs > 1_000_000


def test_a_ledger_is_kept_off_other_machines_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = _cache_on_a_network_disk(tmp_path, monkeypatch)
    for _ in range(2):
        with private_jobs(settings_in(tmp_path), gated_crew(tmp_path)) as jobs:
            (folder,) = local.iterdir()  # one for both
            assert jobs.storage.root.parent == folder
            assert sys.platform == "win32" or folder.stat().st_mode & 0o777 == 0o700
            assert not (folder / "abandoned").exists()
        (folder / "abandoned").mkdir()
    assert not (tmp_path / "cache" / "tasks").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there each user has a folder for temporary files")
@pytest.mark.parametrize("theirs", ["open to all", "link", "file"])
def test_a_strangers_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str) -> None:
    local = _cache_on_a_network_disk(tmp_path, monkeypatch)
    laid_out = local / f"enlarger-tasks-{os.getuid()}-0"
    if theirs == "open to all":
        laid_out.mkdir()
        laid_out.chmod(0o777)
    elif theirs == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        laid_out.symlink_to(tmp_path / "elsewhere")
    else:
        laid_out.touch()
    for _ in range(2):
        with private_jobs(settings_in(tmp_path), gated_crew(tmp_path)) as jobs:
            folder = jobs.storage.root.parent
            assert {path.name for path in local.iterdir()} == {laid_out.name, folder.name}  # one for both
            assert folder != laid_out
            assert folder.stat().st_mode & 0o777 == 0o700
            assert not (folder / "killed").exists()
        (folder / "killed").mkdir()


def test_nor_one_that_a_stranger_owns(tmp_path: Path) -> None:
    mine = tmp_path.lstat()
    facts = [0o040700, *mine[1:4], mine.st_uid + 1, *mine[5:]]
    assert own._is_private(os.stat_result([0o040700, *mine[1:]]))
    assert sys.platform == "win32" or not own._is_private(os.stat_result(facts))


def _cache_on_a_network_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which is not on it."""
    monkeypatch.setattr(own, "network_type", lambda path: "nfs4" if path.is_relative_to(tmp_path / "cache") else "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "local"))
    (tmp_path / "local").mkdir()
    return tmp_path / "local"


def test_below_a_daemonic_process_it_is_said_what_to_do_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    settings = settings_in(tmp_path)
    open_before = None
    for _ in range(3):  # the first may open what stays open in any process
        with pytest.raises(RuntimeFailedError, match="daemon=False"), private_jobs(settings, gated_crew(tmp_path)):
            pass
        open_now = _open_descriptors()
        assert open_before in (None, open_now)
        open_before = open_now
    assert [path.name for path in (settings.cache_dir / "tasks").iterdir()] == [".roots.lock"]


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
