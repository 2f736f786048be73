"""The memory that all originals together may take: each is kept for as long as its reader waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from enlarger.server.problems import RETRY_AFTER_S


class Memory:
    """Counts bytes; used from the event loop only. Nobody waits for a share: two that did would wait for each other."""

    def __init__(self, most_bytes: int) -> None:
        self._left_bytes = most_bytes

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """What takes bytes until the end, given how many; it raises HTTPException 503 when there are no more."""
        taken_bytes = 0

        def take(size_bytes: int) -> None:
            nonlocal taken_bytes
            if size_bytes > self._left_bytes:
                retry = {"Retry-After": str(RETRY_AFTER_S[503])}
                raise HTTPException(503, "Too many pictures are being converted at once.", headers=retry)
            self._left_bytes -= size_bytes
            taken_bytes += size_bytes

        try:
            yield take
        finally:
            self._left_bytes += taken_bytes
