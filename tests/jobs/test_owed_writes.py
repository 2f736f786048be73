"""Owed writes: in order, once each, and nothing that goes wrong stops those behind it for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from enlarger.errors import DiskFullError, IllegalMoveError
from enlarger.jobs.disk_gate import DiskGate
from enlarger.jobs.owed_writes import OwedWrites
from enlarger.jobs.reserve import Reserve
from enlarger.messages import msg


class Disk:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.written: list[str] = []

    def write(self, what: str) -> Callable[[], None]:
        def action() -> None:
            if self.error is not None:
                raise self.error
            self.written.append(what)

        return action


def test_what_finds_no_room_is_written_later_in_order(tmp_path: Path) -> None:
    disk, owed = Disk(), _owed_writes(tmp_path)
    disk.error = DiskFullError(msg("full"))
    owed.write(disk.write("a"), {})
    owed.write(disk.write("b"), {})
    assert owed
    disk.error = None
    owed.write(disk.write("c"), {})
    owed.settle()
    assert disk.written == ["a", "b", "c"]
    assert not owed


def test_what_the_job_does_not_want_any_more_is_forgotten(tmp_path: Path) -> None:
    disk, owed = Disk(), _owed_writes(tmp_path)
    disk.error = IllegalMoveError(msg("gone"))
    owed.write(disk.write("a"), {})
    assert not owed


def test_what_fails_for_no_known_reason_is_given_up_in_the_end(tmp_path: Path) -> None:
    disk, owed = Disk(), _owed_writes(tmp_path)
    disk.error = RuntimeError("a bug")
    owed.write(disk.write("a"), {})
    assert owed
    for _ in range(4):
        owed.settle()
    assert not owed


def test_what_finds_no_room_gets_what_was_set_aside(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    reserve.keep()
    owed, written = OwedWrites(DiskGate((tmp_path,), 0, reserve)), []

    def action() -> None:
        if (tmp_path / "reserve").exists():
            raise DiskFullError(msg("full"))
        written.append("a")

    owed.write(action, {})
    assert written == ["a"]
    assert not owed


def _owed_writes(folder: Path) -> OwedWrites:
    return OwedWrites(DiskGate((folder,), 0, Reserve(folder / "reserve")))
