"""Who wants to hear of something: everybody is told, and a listener that fails hurts nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeAlias

Listener: TypeAlias = Callable[[str, Mapping[str, Any] | None], None]
"""(job's id, None) after a commit; (job's id, {"page", "position", "share"}) while a page is computed."""
_News = ParamSpec("_News")
JobListeners: TypeAlias = "Listeners[[str, Mapping[str, Any] | None]]"

_log = logging.getLogger(__name__)


class Listeners(Generic[_News]):
    """A list that may be changed and told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[_News, None], ...] = ()

    def add(self, listener: Callable[_News, None]) -> Callable[[], None]:
        """From now on `listener` is told, until the function returned is called."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._remove(listener)

    def tell(self, *news: _News.args, **more: _News.kwargs) -> None:
        """Call everybody, one after another, in this thread."""
        for listener in self._listeners:
            try:
                listener(*news, **more)
            except Exception:  # a listener is a shell's code: whatever it raises is its own trouble
                _log.exception("a listener failed")

    def _remove(self, listener: Callable[_News, None]) -> None:
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other is not listener)
