"""The reserve: room that really is taken, given up once, and taken again."""

from __future__ import annotations

from pathlib import Path

from enlarger.jobs.reserve import RESERVE_BYTES, Reserve


def test_room_is_taken_given_up_and_taken_again(tmp_path: Path) -> None:
    file = tmp_path / "reserve"
    reserve = Reserve(file)
    assert not reserve.spend()
    reserve.keep()
    assert file.stat().st_size == RESERVE_BYTES
    assert file.stat().st_blocks * 512 >= RESERVE_BYTES
    assert reserve.spend()
    assert not file.exists()
    assert not reserve.spend()
    reserve.keep()
    assert file.exists()


def test_what_an_earlier_server_set_aside_is_there(tmp_path: Path) -> None:
    file = tmp_path / "reserve"
    Reserve(file).keep()
    kept = file.stat().st_mtime_ns
    later = Reserve(file)
    later.keep()
    assert file.stat().st_mtime_ns == kept
    assert later.spend()


def test_half_of_it_is_made_whole(tmp_path: Path) -> None:
    file = tmp_path / "reserve"
    file.write_bytes(bytes(RESERVE_BYTES // 2))
    Reserve(file).keep()
    assert file.stat().st_size == RESERVE_BYTES
