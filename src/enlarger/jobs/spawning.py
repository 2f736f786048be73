"""Processes that begin without their caller's program: a script needs no `__main__` guard to have workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import spawn
from multiprocessing.context import SpawnProcess
from typing import Any

from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg

_swapping = threading.Lock()


def start_spawned(target: Callable[..., object], args: tuple[Any, ...], name: str) -> SpawnProcess:
    """Run `target`, a function of a module, in a new process; raises OSError where none can be started.

    Raises RuntimeFailedError where multiprocessing starts none: below a daemonic process.

    What multiprocessing spawns runs the caller's main module first, so that what it defines can be unpickled. For a
    script that is not guarded, this means to start workers in every worker; for a guarded one, to import all it
    imports. Nothing of ours is defined there, so it is left out.
    """
    process = SpawnProcess(target=target, args=args, name=name, daemon=True)
    with _main_left_out():
        try:
            process.start()
        except AssertionError as error:  # how multiprocessing says it
            raise RuntimeFailedError(
                msg("A daemonic process cannot have workers: {reason}.", reason=str(error)),
                msg("Start your own process with daemon=False, or use ProcessPoolExecutor instead of Pool."),
            ) from error
    return process


@contextmanager
def _main_left_out() -> Iterator[None]:
    """There is no other handle on it than multiprocessing's own function, replaced for this thread and this moment."""
    with _swapping:
        original = spawn.get_preparation_data
        caller = threading.get_ident()

        def without_main(name: str) -> dict[str, Any]:
            data = original(name)
            if threading.get_ident() == caller:
                data.pop("init_main_from_name", None)
                data.pop("init_main_from_path", None)
            return data

        spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = original
