"""The token that stops work: set from outside, read between tiles, pages and chunks."""

from __future__ import annotations

from typing import Protocol

from enlarger.errors import CancelledError
from enlarger.messages import msg


class CancelToken(Protocol):
    """Anything that can say it was set; `threading.Event` is one."""

    def is_set(self) -> bool: ...


def check(cancel: CancelToken | None) -> None:
    """Raises CancelledError once the token is set."""
    if cancel is not None and cancel.is_set():
        raise CancelledError(msg("Stopped on request."))
