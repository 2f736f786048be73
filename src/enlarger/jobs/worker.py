"""A worker: one process with models that stay open, which renders what its parent sends it over one pipe."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import psutil

from enlarger.enhance import Enhancer, RenderCache, make_recipe
from enlarger.errors import EnlargerError
from enlarger.jobs.lane import Lane
from enlarger.jobs.protocol import (
    Cancel,
    Drop,
    FromWorker,
    Prioritise,
    Ready,
    Refresh,
    Start,
    Stop,
    ToWorker,
    Unload,
    UseDevice,
)
from enlarger.models import prepare
from enlarger.runtimes import allowed_cores
from enlarger.settings import Settings

EXIT_ORPHANED = 3  # the parent is gone
EXIT_BROKEN = 4  # a thread of the worker's own failed
_NICE = 10  # the server, and whoever sits at the machine, go first
_USUAL_PAGE_PX = (1400, 2000)  # (width, height): for what preloaded models are opened
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know when it starts; it travels to another process, hence functions by name.

    enhancer: "module:function", called with the settings and `options`. prepare: "module:function" called with
    the settings before anything else, to set up logging; empty for nothing.
    """

    settings: Settings
    enhancer: str = "enlarger.jobs.worker:make_enhancer"
    options: Mapping[str, Any] = field(default_factory=dict)
    prepare: str = ""


def make_enhancer(settings: Settings) -> Enhancer:
    """The one that is used unless a setup names another. Weights are brought by the server, which can say so."""
    return Enhancer(settings, prepare_graph=partial(prepare, fetch_missing=False))


def run_worker(pipe: Connection, setup: WorkerSetup, share: int, device: str = "auto") -> None:
    """The whole life of a worker that has one of `share` equal parts of the cores. Ends with its parent, at once.

    device: where pages are computed that name none.
    """
    _leave_signals_to_parent()
    _step_back()
    threading.excepthook = _end_broken
    if setup.prepare:
        _named(setup.prepare)(setup.settings)
    settings = setup.settings.model_copy(update={"threads": threads_for(setup.settings, share)})
    voice = _Voice(pipe)
    enhancer: Enhancer = _named(setup.enhancer)(settings, **setup.options)
    enhancer.share_memory(share)
    if device != "auto":
        enhancer = enhancer.on(device)
    lane = Lane(enhancer, RenderCache(settings.renders_dir, settings.cache_max_bytes), voice.say)
    threading.Thread(target=_listen, args=(pipe, lane, setup.settings), name="listen", daemon=True).start()
    _preload(enhancer, settings)
    voice.say(Ready(os.getpid()))
    lane.run()
    enhancer.close()


def threads_for(settings: Settings, share: int) -> int:
    """Threads for inference in one of `share` workers."""
    return settings.threads or max(1, allowed_cores() // share)


def _leave_signals_to_parent() -> None:
    """Ctrl-C and a service manager's SIGTERM reach the whole group; the parent decides what is finished."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _step_back() -> None:
    """Run at lower priority."""
    below_normal: int = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", _NICE)  # Windows has classes instead
    with suppress(psutil.Error, OSError):  # some containers forbid it: then at the same priority
        process = psutil.Process()
        if os.name == "nt" or int(process.nice()) < _NICE:
            process.nice(below_normal)


def _end_broken(failure: threading.ExceptHookArgs) -> None:
    """A lane that lost a thread would be silent for ever: better a dead worker, which is replaced."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(EXIT_BROKEN)


class _Voice:
    """The worker's side of the pipe, for several threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def say(self, message: FromWorker) -> None:
        try:
            with self._lock:
                self._pipe.send(message)
        except OSError:
            os._exit(EXIT_ORPHANED)


def _listen(pipe: Connection, lane: Lane, settings: Settings) -> None:
    while True:
        try:
            message: ToWorker = pipe.recv()
        except (EOFError, OSError):
            os._exit(EXIT_ORPHANED)  # in mid-tile too: nobody waits for the result, and all files are whole or absent
        _obey(lane, message, settings)


def _obey(lane: Lane, message: ToWorker, settings: Settings) -> None:
    match message:
        case Start():
            lane.start(message)
        case Cancel(task):
            lane.cancel(task)
        case Drop(task):
            lane.drop(task)
        case Prioritise(task, priority):
            lane.prioritise(task, priority)
        case Unload():
            lane.unload()
        case Refresh():
            lane.refresh()
        case UseDevice(device, share):
            lane.use_device(device, share, threads_for(settings, share))
        case Stop():
            lane.finish()


def _preload(enhancer: Enhancer, settings: Settings) -> None:
    """Open the models that the settings name. What cannot be opened is said; the page that needs it will say it too."""
    for name in filter(None, map(str.strip, settings.preload.split(","))):
        try:
            enhancer.warm(make_recipe(enhancer.catalog, model=name), *_USUAL_PAGE_PX)
        except EnlargerError as error:
            _LOG.warning("%s", error)


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
