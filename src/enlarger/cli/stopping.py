"""Ctrl-C and SIGTERM: the first asks the work to stop after what is in hand, the second ends the program."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from enlarger.cancel import END_SIGNALS
from enlarger.cli.output import ExitCode, TerminatedError, say_last
from enlarger.errors import CancelledError
from enlarger.messages import msg

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")
_POLL_S = 0.1  # a signal that another thread or Windows received wakes no waiting thread


class Stop(threading.Event):
    """A cancel token that a signal sets; `exit_code` says by which."""

    exit_code = ExitCode.INTERRUPTED

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Ask to stop; the second time, end the program whatever it is doing."""
        self.exit_code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        if self.is_set():
            say_last(msg("Ended at once. What is finished is kept."))
            os._exit(self.exit_code)  # sys.exit would wait for the tile that is being computed
        self.set()


def run_stoppable(work: Callable[[Stop], _T]) -> _T:
    """What `work` returns or raises; its token is set by signals while it runs.

    It runs in a thread of its own: Python handles signals in the main thread, which must not be inside a network's
    tile for seconds then. A CancelledError after SIGTERM leaves as TerminatedError. Called from another thread than
    the main one, no signal reaches it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        return work(stop)
    with handled(stop), ThreadPoolExecutor(1, "enlarger-work") as workers:
        working = workers.submit(copy_context().run, work, stop)
        try:
            return _awaited(working)
        except CancelledError as error:
            if stop.exit_code is ExitCode.TERMINATED:
                raise TerminatedError(error.message, error.remedy) from error
            raise


def _awaited(working: Future[_T]) -> _T:
    while not working.done():
        wait([working], timeout=_POLL_S)
    return working.result()


@contextmanager
def handled(stop: Stop) -> Iterator[None]:
    """Let the signals set `stop` while the block lasts; called in the main thread."""
    before = {number: signal.signal(number, stop.on_signal) for number in END_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
