"""Errors as problem+json (RFC 9457) with a code and a remedy, told in the language that was asked for."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from enlarger.errors import (
    CancelledError,
    DiskFullError,
    EnlargerError,
    FetchError,
    IdempotencyError,
    IllegalMoveError,
    InputError,
    OutOfMemoryError,
    QueueFullError,
    UnknownBookError,
    UnknownJobError,
    UnknownModelError,
    WeightsMissingError,
    WeightsRefusedError,
)
from enlarger.reader import RulesChangedError
from enlarger.server.languages import language_of
from enlarger.server.refusals import RefusalError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = {408: 1, 429: 5, 503: 5}

_STATUS: tuple[tuple[type[EnlargerError], int], ...] = (  # the first that fits
    (UnknownJobError, 404),
    (UnknownBookError, 404),
    (UnknownModelError, 422),
    (IllegalMoveError, 409),
    (IdempotencyError, 409),
    (CancelledError, 409),
    (RulesChangedError, 412),
    (QueueFullError, 429),
    (InputError, 422),
    (WeightsMissingError, 409),
    (WeightsRefusedError, 409),
    (FetchError, 502),
    (DiskFullError, 503),
    (OutOfMemoryError, 503),
)


class ProblemResponse(JSONResponse):
    """A JSON answer whose media type says that it is a problem."""

    media_type = MEDIA_TYPE


def status_of(error: EnlargerError) -> int:
    """The HTTP status that says the same."""
    if isinstance(error, RefusalError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(error: EnlargerError, language: str) -> dict[str, Any]:
    """The error as RFC 9457 wants it; `code` and `remedy` are ours."""
    status = status_of(error)
    return {
        "type": f"urn:enlarger:problem:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message.text(language),
        "code": error.code,
        "remedy": None if error.remedy is None else error.remedy.text(language),
    }


def problem_response(error: EnlargerError, connection: HTTPConnection) -> Response:
    """The answer to whoever asked, with Retry-After where waiting helps."""
    body = problem(error, language_of(connection.scope))
    return ProblemResponse(body, body["status"], headers=extra_headers(body["status"]))


def extra_headers(status: int) -> dict[str, str]:
    """What belongs to a status besides its body."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return {**headers, "Retry-After": str(RETRY_AFTER_S[status])} if status in RETRY_AFTER_S else headers
