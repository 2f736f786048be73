"""Pulls: weights on their way to this machine, in threads of the server, each of which may be stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeAlias

from enlarger.cancel import check
from enlarger.errors import CancelledError, EnlargerError, FetchError
from enlarger.jobs.failure import Failure
from enlarger.jobs.listeners import Listeners
from enlarger.messages import msg
from enlarger.models import Card, Catalog, Choice, Variant, fetch
from enlarger.settings import Settings

_MOST = 2  # at once: more would only share the line
_TELL_S = 0.25
_POLL_S = 0.2
_JOIN_S = 5.0
_ASKED = object()  # the holder of what a person asked for: nobody has to stay for it

Fetch: TypeAlias = Callable[..., Any]
"""`models.fetch`, or a test's."""
PullPhase = Literal["running", "done", "failed", "cancelled"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PullState:
    """How a model's weights are coming. bytes, total: of the file that is on its way, 0 before it is known.

    error: why it failed, or that it was cancelled. A pull that waits for its turn is running already.
    """

    model: str
    phase: PullPhase = "running"
    bytes: int = 0
    total: int = 0
    error: EnlargerError | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens."""
        return self.phase != "running"

    @property
    def failure(self) -> Failure | None:
        """The error as jobs keep it."""
        return None if self.error is None else Failure.of(self.error)


class Pull:
    """One model's weights on their way. Everything but `state` belongs to `Pulls`."""

    def __init__(self, model: str) -> None:
        self.state = PullState(model)
        self.cancelled = threading.Event()
        self.targets: list[Card | Variant] = []
        self.begun = 0  # how many of them
        self.holders: set[object] = set()
        self.told_at = 0.0


class Pulls:
    """The newest pull of each model. Thread-safe; nothing here waits for the net.

    Who asks for a model that is on its way joins that pull, and it stops when nobody wants it any more.
    """

    def __init__(self, settings: Settings, catalog: Catalog, *, fetch: Fetch = fetch) -> None:
        self._settings = settings
        self._catalog = catalog
        self._fetch = fetch
        self._lock = threading.Lock()  # guards all pulls
        self._pulls: dict[str, Pull] = {}
        self._threads: set[threading.Thread] = set()
        self._turns = threading.BoundedSemaphore(_MOST)
        self._listeners: Listeners[[PullState]] = Listeners()

    # ---- for people ----

    def start(self, name: str) -> PullState:
        """Bring a model's weights, by any of its names; goes on until it ends or is cancelled. UnknownModelError."""
        card = self._card(name)
        return self.want(card, [card], _ASKED).state

    def cancel(self, name: str) -> PullState | None:
        """Stop it, whoever wants it; how it stood, None where it was never begun. Raises UnknownModelError."""
        pull = self._pulls.get(self._card(name).name)
        if pull is not None:
            self._stop(pull)
        return None if pull is None else pull.state

    def state(self, name: str) -> PullState | None:
        """How the newest pull of a model stands. Raises UnknownModelError."""
        pull = self._pulls.get(self._card(name).name)
        return None if pull is None else pull.state

    def states(self) -> list[PullState]:
        """The newest pull of each model, ended ones too."""
        with self._lock:
            return [pull.state for pull in self._pulls.values()]

    def subscribe(self, listener: Callable[[PullState], None]) -> Callable[[], None]:
        """Hear of each beginning and end, and of progress a few times a second, from other threads; do not block.

        What is returned ends it.
        """
        return self._listeners.add(listener)

    # ---- for who stays until it ends ----

    def want(self, card: Card, targets: Iterable[Card | Variant], holder: object) -> Pull:
        """Bring what is named of the card, until it is there or `holder` and all others have left."""
        with self._lock:
            pull = self._pulls.get(card.name)
            is_new = pull is None or pull.state.has_ended
            if pull is None or is_new:
                pull = self._pulls[card.name] = Pull(card.name)
            pull.holders.add(holder)
            _add(pull, targets)
            if is_new:
                self._begin(pull)
        if is_new:
            self._listeners.tell(pull.state)
        return pull

    def add(self, pull: Pull, targets: Iterable[Card | Variant]) -> None:
        """Bring this too; nothing where the pull has ended."""
        with self._lock:
            _add(pull, targets)

    def leave(self, pull: Pull, holder: object) -> None:
        """`holder` does not want it any more; nothing where it has ended."""
        with self._lock:
            pull.holders.discard(holder)
            is_wanted = bool(pull.holders)
        if not is_wanted:
            self._stop(pull)

    def close(self) -> None:
        """Stop all; what has come is kept."""
        with self._lock:
            pulls, threads = list(self._pulls.values()), list(self._threads)
        for pull in pulls:
            self._stop(pull)
        end = time.monotonic() + _JOIN_S
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    # ---- a pull's thread ----

    def _begin(self, pull: Pull) -> None:
        name = f"pull-{pull.state.model}"
        thread = threading.Thread(target=self._run, args=(pull,), name=name, daemon=True)  # a dead net keeps nobody
        self._threads.add(thread)
        thread.start()

    def _run(self, pull: Pull) -> None:
        try:
            with self._turn(pull):
                while (target := self._next(pull)) is not None:
                    note = partial(self._note, pull)
                    self._fetch(target, self._settings, progress=note, cancel=pull.cancelled)
        except CancelledError:
            self._stop(pull)
        except EnlargerError as error:
            self._end(pull, "failed", error)
        except Exception as error:  # whatever a network library may raise: whoever waits must hear of it
            _log.exception("weights could not be fetched")
            self._end(pull, "failed", _unforeseen(pull.state.model, error))
        else:
            self._listeners.tell(pull.state)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    @contextmanager
    def _turn(self, pull: Pull) -> Iterator[None]:
        while not self._turns.acquire(timeout=_POLL_S):
            check(pull.cancelled)
        try:
            yield
        finally:
            self._turns.release()

    def _next(self, pull: Pull) -> Card | Variant | None:
        """What is still to be brought; None, and the pull has ended, where nothing is."""
        with self._lock:
            check(pull.cancelled)
            if pull.begun < len(pull.targets):
                pull.begun += 1
                return pull.targets[pull.begun - 1]
            pull.state = replace(pull.state, phase="done")
            return None

    def _note(self, pull: Pull, done_bytes: int, total_bytes: int) -> None:
        now = time.monotonic()
        with self._lock:
            if pull.state.has_ended:
                return
            pull.state = replace(pull.state, bytes=done_bytes, total=total_bytes)
            tells = now - pull.told_at >= _TELL_S
        if tells:
            pull.told_at = now
            self._listeners.tell(pull.state)

    def _stop(self, pull: Pull) -> None:
        self._end(pull, "cancelled", _stopped(pull.state.model))

    def _end(self, pull: Pull, phase: PullPhase, error: EnlargerError) -> None:
        with self._lock:
            if pull.state.has_ended:
                return
            pull.state = replace(pull.state, phase=phase, error=error)
            pull.cancelled.set()
        self._listeners.tell(pull.state)

    def _card(self, name: str) -> Card:
        found = self._catalog.find(name)
        return found.card if isinstance(found, Choice) else found


def _add(pull: Pull, targets: Iterable[Card | Variant]) -> None:
    pull.targets += [target for target in targets if target not in pull.targets]


def _stopped(model: str) -> CancelledError:
    return CancelledError(
        msg("Fetching the weights of {model} was stopped.", model=model),
        msg("Begin again: it continues where it stopped."),
    )


def _unforeseen(model: str, error: Exception) -> FetchError:
    return FetchError(
        msg("{name}: something unforeseen happened ({error}).", name=model, error=f"{type(error).__name__}: {error}"),
        msg("This is a mistake in Enlarger; please report it."),
    )
