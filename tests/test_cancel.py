"""The token is read, and only a set one stops work."""

from __future__ import annotations

from threading import Event

import pytest

from enlarger.cancel import check
from enlarger.errors import CancelledError


def test_check() -> None:
    token = Event()
    check(None)
    check(token)
    token.set()
    with pytest.raises(CancelledError):
        check(token)
