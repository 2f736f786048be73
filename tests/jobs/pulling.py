"""Weights that come as slowly as a test wants, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from enlarger.cancel import CancelToken, check
from enlarger.errors import EnlargerError, FetchError
from enlarger.messages import msg
from enlarger.settings import Settings

NO_NET = FetchError(msg("The net is down."), msg("Try again."))


class SlowFetch:
    """In the place of `models.fetch`. `on_done` is called with each target's name; `gate` holds what it brings."""

    def __init__(self, *, held: bool = False) -> None:
        self.gate = threading.Event()
        if not held:
            self.gate.set()
        self.fails: EnlargerError | Exception | None = None
        self.on_done: Callable[[str], None] = lambda _name: None
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.done: list[str] = []

    def __call__(
        self, target: Any, settings: Settings, *, progress: Callable[[int, int], None], cancel: CancelToken
    ) -> None:
        self.begun.append(target.name)
        progress(10, 100)
        try:
            while not self.gate.wait(0.005):
                check(cancel)
            check(cancel)
        except BaseException:
            self.cancelled.append(target.name)
            raise
        if self.fails is not None:
            raise self.fails
        progress(100, 100)
        self.on_done(target.name)
        self.done.append(target.name)
