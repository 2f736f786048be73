"""The schema as it is given out: every error a problem, and OpenAPI 3.0, which the bundled Swagger UI can show."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from enlarger.server.schemas import as_3_0
from enlarger.server.v1.wire import FieldError, Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ALWAYS = (400, 401, 403, 405, 421, 422, 500, 503)
_WITH_BODY = (408, 413, 415)
_OF = {  # (method, path) -> what else it may answer
    ("post", "/v1/upscale"): (409, 429, 500, 503),
    ("post", "/v1/jobs"): (409, 429, 503),
    ("delete", "/v1/jobs/{job_id}"): (409,),
    ("get", "/v1/jobs/{job_id}/artifact"): (409, 410, 416),
    ("get", "/v1/jobs/{job_id}/pages/{position}/image"): (409, 410, 416),
    ("get", "/v1/books/{book_id}/pages/{index}"): (416,),
    ("get", "/v1/books/{book_id}/pages/{index}/thumbnail"): (416,),
    ("get", "/v1/books/{book_id}/cover"): (416,),
    ("get", "/v1/renders/{key}"): (416,),
    ("post", "/v1/models/{name}/pull"): (409, 502, 503),
    ("post", "/v1/jobs/{job_id}/verify"): (409, 410),
    ("get", "/v1/shelf/items"): (404,),
    ("post", "/v1/reader/requests"): (404,),
    ("post", "/v1/reader/preloads"): (404,),
    ("get", "/v1/reader/lookup"): (404, 409),
    ("put", "/v1/reader/rules"): (412,),
    ("put", "/v1/reader/conditions"): (412,),
    ("post", "/v1/reader/rules/test"): (404,),
}
_MOVES = ("pause", "resume", "cancel", "retry", "priority")


def finish_schema(app: FastAPI) -> dict[str, Any]:
    """FastAPI's schema, made once, its errors ours."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _add_problems(path, method, operation)
        schemas = schema["components"]["schemas"]
        for kind in (Problem, FieldError):
            definition = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            definition.pop("$defs", None)
            schemas[kind.__name__] = definition
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "Only where the server asks for a token."}
        }
        schema["security"] = [{}, {"token": []}]
        app.openapi_schema = as_3_0(schema)
    return app.openapi_schema


def _add_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    statuses = {*_ALWAYS, *_OF.get((method, path), ())}
    if "{" in path:
        statuses.add(404)
    if method in ("post", "patch", "put"):
        statuses.update(_WITH_BODY)
    if path.endswith(_MOVES):
        statuses.add(409)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {"description": HTTPStatus(status).phrase, "content": _PROBLEM}
