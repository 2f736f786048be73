"""A server that is told to stop waits for open connections: those that only listen are sent home at the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from enlarger.cancel import END_SIGNALS


@contextmanager
def told_of_signals(ends: Callable[[], object]) -> Iterator[None]:
    """Call `ends`, from the main thread at any moment, before whatever the process does at SIGINT and SIGTERM.

    A handler that is not there stays away; outside the main thread there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in END_SIGNALS}

    def told(number: int, frame: FrameType | None) -> None:
        ends()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    wrapped = [number for number, handler in before.items() if callable(handler)]
    for number in wrapped:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number in wrapped:
            if signal.getsignal(number) is told:
                signal.signal(number, before[number])
