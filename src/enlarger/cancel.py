"""What stops work: a token that is set from outside and read between tiles, pages and chunks; and signals."""

from __future__ import annotations

import signal
from typing import Protocol

from enlarger.errors import CancelledError
from enlarger.messages import msg

_NAMES = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last of Windows alone: Ctrl-Break, a console that is closed
END_SIGNALS: tuple[signal.Signals, ...] = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


class CancelToken(Protocol):
    """Anything that can say it was set; `threading.Event` is one."""

    def is_set(self) -> bool: ...


def check(cancel: CancelToken | None) -> None:
    """Raises CancelledError once the token is set."""
    if cancel is not None and cancel.is_set():
        raise CancelledError(msg("Stopped on request."))
