"""Schemas in the OpenAPI version that the bundled page can show, and the facades' own given out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from enlarger.server.threads import in_thread

VERSION = "3.0.3"


def schema_routes(**apps: FastAPI) -> Router:
    """/openapi/<name>.json for each application."""
    return Router([Route(f"/openapi/{name}.json", _giver(app)) for name, app in apps.items()])


async def give_schema(request: Request, schema: Mapping[str, Any]) -> Response:
    """The schema, with the prefix that the server has in front."""
    root = request.scope.get("root_path", "").rstrip("/")
    return JSONResponse({**schema, "servers": [{"url": root}]} if root else schema)


def as_3_0(schema: Mapping[str, Any]) -> dict[str, Any]:
    """FastAPI's schema, which is of 3.1, in the words of 3.0."""
    return {**_converted(schema), "openapi": VERSION}


def _giver(app: FastAPI) -> Any:
    made: dict[str, Any] = {}

    async def give(request: Request) -> Response:
        if not made:
            made.update(await in_thread(lambda: as_3_0(app.openapi())))
        return await give_schema(request, made)

    return give


def _converted(value: Any) -> Any:
    """JSON Schema 2020 as far as pydantic writes it, in the words of OpenAPI 3.0."""
    if isinstance(value, Mapping):
        return _schema_as_3_0({name: _converted(each) for name, each in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_converted(each) for each in value]
    return value


def _schema_as_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    alternatives = schema.get("anyOf")
    if isinstance(alternatives, list) and {"type": "null"} in alternatives:
        left = [each for each in alternatives if each != {"type": "null"}]
        rest = {name: each for name, each in schema.items() if name != "anyOf"}
        only = left[0] if len(left) == 1 else {"anyOf": left}
        schema = {**({"allOf": [only]} if "$ref" in only else only), **rest, "nullable": True}
    if isinstance(schema.get("examples"), list):  # of a schema; a parameter's are an object
        examples = schema.pop("examples")
        schema.setdefault("example", examples[0])
    for limit in ("Minimum", "Maximum"):
        beyond = schema.get(f"exclusive{limit}")
        if isinstance(beyond, float | int) and not isinstance(beyond, bool):
            schema |= {limit.lower(): beyond, f"exclusive{limit}": True}
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "$ref" in schema and len(schema) > 1:
        schema = {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
    return schema
