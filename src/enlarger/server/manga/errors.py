"""Errors in the original's shape: {"detail": …}, and FastAPI's 422 for what does not validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.routing import Match, Route

from enlarger.errors import EnlargerError, UnknownJobError
from enlarger.server.languages import language_of
from enlarger.server.problems import extra_headers, status_of

JOB_NOT_FOUND = "Job not found"


def add_error_shapes(app: FastAPI) -> None:
    """Answer Enlarger's errors and invalid bodies as the original's clients expect."""
    app.add_exception_handler(EnlargerError, _detail)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(405, _wrong_method)


def invalid(location: Sequence[str], error: EnlargerError, language: str) -> RequestValidationError:
    """`error` as if validation had found it."""
    found = {"type": "value_error", "loc": ("body", *location), "msg": error.text(language)}
    return RequestValidationError([found])


async def _detail(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EnlargerError)
    detail = JOB_NOT_FOUND if isinstance(error, UnknownJobError) else error.text(language_of(request.scope))
    status = status_of(error)
    return JSONResponse({"detail": detail}, status, headers=extra_headers(status))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": [_told(each) for each in error.errors()]}, 422)


async def _wrong_method(request: Request, _: Exception) -> JSONResponse:
    """With the methods of every route on this path; Starlette names only the first one's."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = sorted({method for route in here for method in route.methods or ()})
    return JSONResponse({"detail": "Method Not Allowed"}, 405, headers={"Allow": ", ".join(allowed)})


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Without the input: it may be large, secret, or nothing that JSON can say."""
    where = [_printable(each) if isinstance(each, str) else each for each in found["loc"]]
    return {"type": found["type"], "loc": where, "msg": _printable(found["msg"])}


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()  # half a surrogate pair cannot be sent
