"""The disk gate: shut while there is too little room, or after a write found none until some came."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.errors import DiskFullError, StorageError
from enlarger.jobs import Failure
from enlarger.jobs.disk_gate import DiskGate, free_bytes
from enlarger.jobs.reserve import Reserve
from enlarger.messages import msg

_ROOT, _CACHE = Path("root"), Path("cache")
_MIB = 1 << 20
_FULL = Failure("disk_full", msg("full"))


class World(Reserve):
    """A clock, and two disks with one reserve; `error`: what setting it aside meets."""

    def __init__(self) -> None:
        self.free = {_ROOT: 100 * _MIB, _CACHE: 100 * _MIB}
        self.now = 0.0
        self.error: StorageError | None = None
        self.is_kept = False

    def keep(self) -> None:
        if self.error is not None:
            raise self.error
        self.free[_ROOT] -= 0 if self.is_kept else _MIB
        self.is_kept = True

    def spend(self) -> bool:
        was_kept, self.is_kept = self.is_kept, False
        self.free[_ROOT] += _MIB if was_kept else 0
        return was_kept

    def gate(self, min_free_bytes: int) -> DiskGate:
        return DiskGate((_ROOT, _CACHE), min_free_bytes, self, free=self.free.__getitem__, clock=lambda: self.now)

    def store(self) -> str:
        """A write to the ledger that needs a little of the root's disk."""
        if self.free[_ROOT] <= 0:
            raise DiskFullError(msg("full"))
        return "stored"


def test_shut_while_either_disk_has_too_little() -> None:
    world = World()
    gate = world.gate(50 * _MIB)
    assert gate.look()
    world.free[_CACHE] = 49 * _MIB
    assert not gate.look()
    assert gate.reason is not None
    assert gate.reason.code == "disk_full"
    assert "cache" in gate.reason.text("en")
    world.free[_CACHE] = 50 * _MIB
    assert gate.look()


def test_a_full_disk_is_believed_until_room_comes() -> None:
    world = World()
    gate = world.gate(0)
    gate.report_full(_FULL)
    assert not gate.is_open
    assert not gate.look()
    world.free[_ROOT] += _MIB
    assert gate.look()


def test_a_quota_shows_no_room_so_time_must_do() -> None:
    world = World()
    gate = world.gate(0)
    gate.report_full(_FULL)
    world.now = 29.0
    assert not gate.look()
    world.now = 30.0
    assert gate.look()


def test_a_disk_that_cannot_be_measured_shuts_nothing() -> None:
    def gone(_folder: Path) -> int:
        raise OSError

    assert DiskGate((_ROOT,), 50, World(), free=gone).look()


def test_on_a_full_disk_the_ledger_writes_what_happened_in_the_room_set_aside() -> None:
    world = World()
    gate = world.gate(0)
    assert gate.look()
    assert world.is_kept
    world.free[_ROOT] = 0
    assert gate.write(world.store) == "stored"
    assert not world.is_kept
    assert not gate.look()  # what was given up is no room that came
    assert gate.reason is not None
    assert gate.reason.code == "disk_full"
    world.free[_ROOT] = 3 * _MIB
    assert gate.look()
    assert world.is_kept
    assert world.free[_ROOT] == 2 * _MIB


def test_what_finds_no_room_twice_is_the_caller_s() -> None:
    world = World()
    gate = world.gate(0)
    world.free[_ROOT] = 0
    with pytest.raises(DiskFullError):
        gate.write(world.store)
    assert gate.is_open  # nothing was spent, and who wrote says what follows


def test_shut_until_there_is_room_to_set_aside() -> None:
    world = World()
    gate = world.gate(0)
    world.error = DiskFullError(msg("full"))
    assert not gate.look()
    world.error = None
    assert not gate.look()
    world.now += 30.0
    assert gate.look()


def test_a_folder_that_takes_no_reserve_for_another_reason_shuts_nothing() -> None:
    world = World()
    world.error = StorageError(msg("read-only"))
    assert world.gate(0).look()


def test_a_folder_that_is_not_there_yet_has_its_parent_s_room(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0
