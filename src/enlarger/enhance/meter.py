"""How far one picture is: computed pixels over pixels to compute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = Callable[[float], None]
"""Called between two tiles with the share done, 0..1, never falling. The same thread may enlarge another picture
meanwhile: this one goes on afterwards where it stood."""


class Meter:
    """Counts computed pixels and tells the listener; work that is done again moves nothing back."""

    def __init__(self, total_px: int, listener: Progress | None) -> None:
        self._total_px = max(total_px, 1)
        self._listener = listener
        self._done_px = 0
        self._told = 0.0
        self.away_s = 0.0  # seconds that the listener took: another picture's, not this one's

    def advance(self, px: int) -> None:
        """`px` more pixels have left the network."""
        self._done_px = min(self._done_px + px, self._total_px)
        self._told = max(self._told, self._done_px / self._total_px)
        if self._listener is not None:
            started = time.perf_counter()
            self._listener(self._told)
            self.away_s += time.perf_counter() - started

    @contextmanager
    def sparing(self, px: int) -> Iterator[None]:
        """So many pixels need not be computed, unless what is computed in their place fails."""
        self._total_px -= px
        try:
            yield
        except BaseException:
            self._total_px += px
            raise
