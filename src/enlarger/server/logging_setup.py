"""The server's log: one line an event, as JSON or for people, with the request's and the job's id; uvicorn's joined.

Lines are written by a thread of their own: whoever reads them slowly holds up nobody.
"""

from __future__ import annotations

import atexit
import logging
import sys
import time
from logging.handlers import QueueHandler, QueueListener
from multiprocessing import current_process, parent_process
from queue import SimpleQueue
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from enlarger.settings import Settings

_FIELDS = ("request", "job", "page", "worker", "method", "path", "status", "seconds")
_GATHERING_S = 0.05
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def set_up_logging(settings: Settings) -> None:
    """Send everything that this process logs to stderr, in one form. Called once, by the process's owner.

    Workers call it too: their lines name them, and are written at once, since a worker may end at any moment.
    """
    is_worker = parent_process() is not None
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=_FIELDS),
        *([_name_worker] if is_worker else []),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_ending(json=settings.json_logs))
    )
    logging.root.handlers = [handler if is_worker else _aside(handler)]
    logging.root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # tells of its plugins at every start
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True  # our own line a request has its id and its seconds


def _name_worker(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {"worker": current_process().name, **event}


def _aside(handler: logging.Handler) -> QueueHandler:
    lines: SimpleQueue[Any] = SimpleQueue()
    listener = _Unhurried(lines, handler)
    listener.start()
    atexit.register(listener.stop)
    return _Aside(lines)


class _Unhurried(QueueListener):
    """Writes lines a few at a time: woken at each, its thread would take the interpreter from the event loop's."""

    queue: SimpleQueue[Any]

    def dequeue(self, block: bool) -> logging.LogRecord:
        """The next record; what comes soon after one that was waited for is left to come first."""
        if not self.queue.empty():
            return super().dequeue(block)
        record = super().dequeue(block)
        time.sleep(_GATHERING_S)
        return record


class _Aside(QueueHandler):
    """Hands records on as they are, with the id of the request that other libraries know nothing of."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        record.__dict__.update(structlog.contextvars.get_contextvars())
        return record


def _ending(*, json: bool) -> list[Processor]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if json:
        return [
            clean,
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [clean, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
