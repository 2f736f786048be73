"""Ctrl-C and SIGTERM: the first asks the work to stop after what is in hand, the second ends the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from enlarger.cli.output import ExitCode, TerminatedError
from enlarger.errors import CancelledError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(threading.Event):
    """A cancel token that a signal sets; `exit_code` says by which."""

    exit_code = ExitCode.INTERRUPTED

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Ask to stop, and let the next signal end the program."""
        self.exit_code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.set()


@contextmanager
def stoppable() -> Iterator[Stop]:
    """A token that signals set while the block runs; signals reach only the main thread.

    A CancelledError that leaves the block after SIGTERM leaves it as TerminatedError.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.on_signal) for number in _SIGNALS}
    try:
        yield stop
    except CancelledError as error:
        if stop.exit_code is ExitCode.TERMINATED:
            raise TerminatedError(error.message, error.remedy) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
