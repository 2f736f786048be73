"""Errors in the original's shape: {"detail": …}, and FastAPI's 422 for what does not validate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.routing import Match, Route

from enlarger.errors import EnlargerError, UnknownJobError
from enlarger.server.languages import language_of
from enlarger.server.problems import extra_headers, status_of

JOB_NOT_FOUND = "Job not found"
_UNPRINTABLE = ("input", "ctx", "url")


def add_error_shapes(app: FastAPI) -> None:
    """Answer Enlarger's errors and invalid bodies as the original's clients expect."""
    app.add_exception_handler(EnlargerError, _detail)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(405, _wrong_method)


def invalid(location: Sequence[str], value: object, error: EnlargerError, language: str) -> RequestValidationError:
    """`error` as if validation had found it."""
    found = {"type": "value_error", "loc": ("body", *location), "msg": error.text(language), "input": value}
    return RequestValidationError([found])


async def _detail(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EnlargerError)
    detail = JOB_NOT_FOUND if isinstance(error, UnknownJobError) else error.text(language_of(request.scope))
    status = status_of(error)
    return JSONResponse({"detail": detail}, status, headers=extra_headers(status))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = jsonable_encoder(error.errors())
    return JSONResponse({"detail": [_sendable(each) for each in found]}, 422)


async def _wrong_method(request: Request, _: Exception) -> JSONResponse:
    """With the methods of every route on this path; Starlette names only the first one's."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = sorted({method for route in here for method in route.methods or ()})
    return JSONResponse({"detail": "Method Not Allowed"}, 405, headers={"Allow": ", ".join(allowed)})


def _sendable(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the input where JSON cannot say it: NaN, or half a surrogate pair."""
    try:
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return {name: value for name, value in found.items() if name not in _UNPRINTABLE}
    return found
