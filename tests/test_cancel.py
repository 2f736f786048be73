"""The token is read, and only a set one stops work; the signals that ask for it are known."""

from __future__ import annotations

import signal
from threading import Event

import pytest

from enlarger.cancel import END_SIGNALS, check
from enlarger.cli.stopping import Stop, handled
from enlarger.errors import CancelledError
from enlarger.server.stopping import told_of_signals


def test_check() -> None:
    token = Event()
    check(None)
    check(token)
    token.set()
    with pytest.raises(CancelledError):
        check(token)


def test_the_signals_of_this_system() -> None:
    windows = [number for name, number in vars(signal).items() if name == "SIGBREAK"]
    assert list(END_SIGNALS) == [signal.SIGINT, signal.SIGTERM, *windows]


@pytest.mark.parametrize("number", END_SIGNALS)
def test_program_and_server_heed_each_of_them(number: signal.Signals) -> None:
    heard = list[str]()
    before = signal.signal(number, lambda *_: heard.append("the process's own"))
    try:
        with told_of_signals(lambda: heard.append("server")):
            signal.raise_signal(number)
        with handled(stop := Stop()):
            signal.raise_signal(number)
        signal.raise_signal(number)
    finally:
        signal.signal(number, before)
    assert (heard, stop.is_set()) == (["server", "the process's own", "the process's own"], True)
