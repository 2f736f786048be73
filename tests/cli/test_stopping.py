"""The first signal asks to stop, the second ends the program, and afterwards all is as before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from enlarger import cancel
from enlarger.cli.output import ExitCode, TerminatedError
from enlarger.cli.stopping import Stop, run_stoppable
from enlarger.errors import CancelledError

_WAIT_S = 30
_STUBBORN = """
import time
from enlarger.cli.stopping import run_stoppable

def work(stop):
    print("working", flush=True)
    stop.wait()
    print("asked", flush=True)
    time.sleep(60)  # as inside a network's tile: no token is read

run_stoppable(work)
"""


def test_nothing_stops_by_itself_and_the_result_comes_back() -> None:
    assert run_stoppable(lambda stop: stop.is_set()) is False


def test_an_error_of_the_work_comes_out() -> None:
    def work(_stop: Stop) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        run_stoppable(work)


def test_ctrl_c_sets_the_token_while_the_work_goes_on() -> None:
    def work(stop: Stop) -> tuple[bool, ExitCode]:
        signal.raise_signal(signal.SIGINT)
        return stop.wait(_WAIT_S), stop.exit_code

    assert run_stoppable(work) == (True, ExitCode.INTERRUPTED)


def test_the_main_thread_is_free_for_signals() -> None:
    assert run_stoppable(lambda _stop: threading.current_thread()) is not threading.main_thread()


def test_in_another_thread_the_work_runs_without_signals() -> None:
    found: list[threading.Thread] = []
    thread = threading.Thread(target=lambda: found.append(run_stoppable(lambda _stop: threading.current_thread())))
    thread.start()
    thread.join()
    assert found == [thread]


def _work_until(number: signal.Signals) -> None:
    def work(stop: Stop) -> None:
        cancel.check(stop)
        signal.raise_signal(number)
        stop.wait(_WAIT_S)
        cancel.check(stop)

    run_stoppable(work)


def test_sigterm_does_the_same_under_its_own_code() -> None:
    with pytest.raises(TerminatedError):
        _work_until(signal.SIGTERM)


def test_ctrl_c_leaves_as_plain_cancellation() -> None:
    with pytest.raises(CancelledError) as caught:
        _work_until(signal.SIGINT)
    assert type(caught.value) is CancelledError


def test_the_handlers_from_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(CancelledError):
        _work_until(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX does")
@pytest.mark.parametrize(("second", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_ends_work_that_reads_no_token(second: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _STUBBORN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "ENLARGER_LANGUAGE": "en"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(second)
    _, said = process.communicate(timeout=_WAIT_S)
    assert (process.returncode, said) == (code, "Ended at once. What is finished is kept.\n")
