"""Owed writes: in order, once each, and nothing that goes wrong stops those behind it for ever."""

from __future__ import annotations

from collections.abc import Callable

from enlarger.errors import DiskFullError, IllegalMoveError
from enlarger.jobs.owed_writes import OwedWrites
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


def test_what_finds_no_room_is_written_later_in_order() -> None:
    disk, owed = Disk(), OwedWrites()
    disk.error = DiskFullError(msg("full"))
    owed.write(disk.write("a"), {})
    owed.write(disk.write("b"), {})
    assert owed
    disk.error = None
    owed.write(disk.write("c"), {})
    owed.settle()
    assert disk.written == ["a", "b", "c"]
    assert not owed


def test_what_the_job_does_not_want_any_more_is_forgotten() -> None:
    disk, owed = Disk(), OwedWrites()
    disk.error = IllegalMoveError(msg("gone"))
    owed.write(disk.write("a"), {})
    assert not owed


def test_what_fails_for_no_known_reason_is_given_up_in_the_end() -> None:
    disk, owed = Disk(), OwedWrites()
    disk.error = RuntimeError("a bug")
    owed.write(disk.write("a"), {})
    assert owed
    for _ in range(4):
        owed.settle()
    assert not owed
