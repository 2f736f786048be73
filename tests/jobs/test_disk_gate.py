"""The disk gate: shut while there is too little room, or after a write found none until some came."""

from __future__ import annotations

from pathlib import Path

from enlarger.jobs import Failure
from enlarger.jobs.disk_gate import DiskGate, free_bytes
from enlarger.messages import msg

_ROOT, _CACHE = Path("root"), Path("cache")
_MIB = 1 << 20
_FULL = Failure("disk_full", msg("full"))


class World:
    def __init__(self) -> None:
        self.free = {_ROOT: 100 * _MIB, _CACHE: 100 * _MIB}
        self.now = 0.0

    def gate(self, min_free_bytes: int) -> DiskGate:
        return DiskGate((_ROOT, _CACHE), min_free_bytes, free=self.free.__getitem__, clock=lambda: self.now)


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

    assert DiskGate((_ROOT,), 50, free=gone).look()


def test_a_folder_that_is_not_there_yet_has_its_parent_s_room(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0
