"""Every error of the API as a problem."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from enlarger.errors import EnlargerError, UnexpectedError
from enlarger.messages import msg
from enlarger.server.languages import language_of
from enlarger.server.problems import ProblemResponse, problem, problem_response
from enlarger.server.refusals import BadRequestError, NotFoundError, RefusalError

INVALID = 4400  # what closes a WebSocket, as 422 answers a request


class InvalidError(RefusalError):
    """Fields that do not validate."""

    code = "invalid"
    status = 422


class MethodError(RefusalError):
    code = "method_not_allowed"
    status = 405


def add_problems(app: FastAPI) -> None:
    """Answer Enlarger's errors, FastAPI's and what nobody foresaw in one shape."""
    app.add_exception_handler(EnlargerError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _closed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, EnlargerError)
    return problem_response(error, request)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [{"field": _field(each), "message": _printable(str(each["msg"]))} for each in error.errors()]
    named = ", ".join(dict.fromkeys(each["field"] for each in wrong))
    told = InvalidError(msg("Not as expected: {fields}.", fields=named), msg("See “errors” for each field."))
    return ProblemResponse({**problem(told, language_of(request.scope)), "errors": wrong}, told.status)


async def _closed(websocket: WebSocket, _: Exception) -> None:
    await websocket.accept()  # closed before, the client would see 403 only
    await websocket.close(INVALID)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds: dict[int, RefusalError] = {
        404: NotFoundError(msg("There is nothing at this path."), msg("See /docs for what there is.")),
        405: MethodError(msg("This path is not for {method}.", method=request.method), msg("See /docs.")),
    }
    told = kinds.get(error.status_code) or BadRequestError(msg("The request cannot be read."), msg("See /docs."))
    answer = problem_response(told, request)
    answer.headers.update({name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})
    return answer


async def _unexpected(request: Request, _: Exception) -> Response:
    return problem_response(
        UnexpectedError(msg("Something went wrong inside the server."), msg("See the server's log.")), request
    )


def _field(found: dict[str, Any]) -> str:
    return _printable(".".join(map(str, found["loc"][1:])) or str(found["loc"][0]))


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()  # half a surrogate pair cannot be sent
