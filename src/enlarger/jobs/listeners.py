"""Who wants to hear of jobs: told after each commit, and of tiles; a listener that fails hurts nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Listener: TypeAlias = Callable[[str, Mapping[str, Any] | None], None]
"""(job's id, None) after a commit; (job's id, {"page", "position", "share"}) while a page is computed."""

_log = logging.getLogger(__name__)


class Listeners:
    """A list that may be changed and told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def add(self, listener: Listener) -> Callable[[], None]:
        """From now on `listener` is told, until the function returned is called."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._remove(listener)

    def tell(self, job_id: str, progress: Mapping[str, Any] | None = None) -> None:
        """Call everybody, one after another, in this thread."""
        for listener in self._listeners:
            try:
                listener(job_id, progress)
            except Exception:  # a listener is a shell's code: whatever it raises is its own trouble
                _log.exception("a listener failed", extra={"job": job_id})

    def _remove(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)
