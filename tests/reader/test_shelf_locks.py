"""Locks by path: one at a time for a path, and no path waits for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enlarger.reader.shelf_locks import PathLocks


def test_a_path_waits_for_itself_and_for_no_other() -> None:
    locks, order = PathLocks(), []
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.of(Path("a")):
            inside.set()
            go_on.wait(30)
            order.append("first")

    def follow() -> None:
        with locks.of(Path("a")):
            order.append("second")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(hold)
        inside.wait(30)
        second = threads.submit(follow)
        for number in range(100):  # whatever their hashes
            with locks.of(Path(str(number))):
                pass
        go_on.set()
        first.result(30)
        second.result(30)
    assert order == ["first", "second"]
    assert len(locks) == 0


def test_an_error_inside_lets_go() -> None:
    locks = PathLocks()
    with pytest.raises(ValueError, match="inside"), locks.of(Path("a")):
        raise ValueError("inside")
    with locks.of(Path("a")):
        assert len(locks) == 1
    assert len(locks) == 0
