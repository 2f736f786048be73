"""Threads that give way: the event loop is not kept waiting by whoever computes beside it."""

from __future__ import annotations

import sys

_TURN_S = 0.0005


def give_way_often() -> None:
    """Called once, in a process of the server's own.

    The loop lets go of the interpreter with every packet it sends and every call it hands to a thread. To go on it
    waits until the thread that runs meanwhile, such as the dispatcher's, has had its turn: five milliseconds each time
    unless it is told otherwise, and a request has several such moments.
    """
    sys.setswitchinterval(_TURN_S)
