"""How slowly a body may come: a pause has an end, and so has a trickle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

MIN_BYTES_PER_S = 4096  # slower than the slowest line that anybody uploads pictures by


class Arrival:
    """One body on its way. Only waiting for the client counts, not what the server does with the pieces.

    pause_s: the longest wait for one piece; all waits together may last that long, and what the bytes take at
    `min_bytes_per_s`.
    """

    def __init__(self, pause_s: float, min_bytes_per_s: float = MIN_BYTES_PER_S) -> None:
        self._pause_s = pause_s
        self._min_bytes_per_s = min_bytes_per_s
        self._bytes = 0
        self._waited_s = 0.0

    def came(self, size_bytes: int) -> None:
        """So much of it is here."""
        self._bytes += size_bytes

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for the next piece in here; raises TimeoutError when it takes too long."""
        started = anyio.current_time()
        left_s = self._pause_s + self._bytes / self._min_bytes_per_s - self._waited_s
        try:
            with anyio.fail_after(max(0.0, min(self._pause_s, left_s))):
                yield
        finally:
            self._waited_s += anyio.current_time() - started
