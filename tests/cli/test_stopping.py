"""The first signal asks to stop, the second ends the program, and afterwards all is as before."""

from __future__ import annotations

import signal

import pytest

from enlarger import cancel
from enlarger.cli.output import ExitCode, TerminatedError
from enlarger.cli.stopping import stoppable
from enlarger.errors import CancelledError


def test_nothing_stops_by_itself() -> None:
    with stoppable() as stop:
        assert not stop.is_set()


def test_ctrl_c_sets_the_token_and_the_next_one_kills() -> None:
    with stoppable() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        assert stop.exit_code == ExitCode.INTERRUPTED
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def _work_until(number: signal.Signals) -> None:
    with stoppable() as stop:
        cancel.check(stop)
        signal.raise_signal(number)
        cancel.check(stop)


def test_sigterm_does_the_same_under_its_own_code() -> None:
    with pytest.raises(TerminatedError):
        _work_until(signal.SIGTERM)


def test_ctrl_c_leaves_as_plain_cancellation() -> None:
    with pytest.raises(CancelledError) as caught:
        _work_until(signal.SIGINT)
    assert type(caught.value) is CancelledError


def test_the_handlers_from_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stoppable():
        signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
