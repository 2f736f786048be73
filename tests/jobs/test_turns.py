"""One thread that does what is most urgent first."""

from __future__ import annotations

import threading
from functools import partial

from enlarger.jobs.turns import Turns


def test_the_most_urgent_goes_first_then_who_came_first() -> None:
    turns, begun, go, done = Turns("test"), threading.Event(), threading.Event(), []

    def hold() -> None:
        begun.set()
        go.wait(60)

    turns.put(0, hold)
    begun.wait(60)
    for name, priority in (("a", 1), ("b", 9), ("c", 1), ("d", 9)):
        turns.put(priority, partial(done.append, name))
    go.set()
    turns.close()
    assert done == ["b", "d", "a", "c"]
