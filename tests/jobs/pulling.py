"""Weights that come as slowly as a test wants, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from enlarger.cancel import CancelToken, check
from enlarger.errors import EnlargerError, FetchError
from enlarger.messages import msg
from enlarger.models import Card, Variant
from enlarger.settings import Settings

NO_NET = FetchError(msg("The net is down."), msg("Try again."))


class SlowFetch:
    """In the place of `models.fetch`: leaves empty files where the weights would be, once `gate` is open."""

    def __init__(self, *, held: bool = False) -> None:
        self.gate = threading.Event()
        self.reset()
        if not held:
            self.gate.set()

    def reset(self) -> None:
        """As new, and held."""
        self.gate.clear()
        self.fails: EnlargerError | Exception | None = None
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
        put_weights(settings, *(target.variants if isinstance(target, Card) else [target]))
        self.done.append(target.name)


def put_weights(settings: Settings, *variants: Variant) -> None:
    """Files that count as there: in the server they are looked for, not read."""
    for variant in variants:
        folder = settings.models_dir / f"{variant.package.distribution}-{variant.package.version}"
        folder.mkdir(parents=True, exist_ok=True)
        for file in variant.files:
            (folder / file.name).touch()


def hide_packages(settings: Settings) -> None:
    """What a worker's setup may name to be called first: no package of weights is on this machine."""
    from enlarger.models import sources

    sources.installed_folder = lambda _package: None
