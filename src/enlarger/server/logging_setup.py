"""The server's log: one line an event, as JSON or for people, with the request's and the job's id; uvicorn's joined.

Lines are written by a thread of their own: whoever reads them slowly holds up nobody.
"""

from __future__ import annotations

import atexit
import logging
import sys
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any

import structlog
from structlog.typing import Processor

from enlarger.settings import Settings

_FIELDS = ("request", "job", "page", "worker", "method", "path", "status", "seconds")
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def set_up_logging(settings: Settings) -> None:
    """Send everything that this process logs to stderr, in one form. Called once, by the process's owner."""
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=_FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_ending(json=settings.json_logs))
    )
    lines: SimpleQueue[Any] = SimpleQueue()
    listener = QueueListener(lines, handler)
    listener.start()
    atexit.register(listener.stop)
    logging.root.handlers = [_Aside(lines)]
    logging.root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # tells of its plugins at every start
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True  # our own line a request has its id and its seconds


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
