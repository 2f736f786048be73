"""The schema of /v1 is whole and true: what schemathesis makes of it is answered as it says, and never with 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from conftest import Service
from enlarger.server.schemas import VERSION


@pytest.fixture
def schema(service: Service) -> dict[str, Any]:
    schema: dict[str, Any] = service.http.get("/openapi.json").json()
    return schema


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_answers_are_what_the_schema_says(service: Service, mode: GenerationMode) -> None:
    loaded = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    left = loaded.exclude(path_regex="/(pulls?|events)$")  # the net, and streams
    for operation in (each.ok() for each in left.get_all_operations()):
        try:
            _fuzz(operation, mode)
        except Unsatisfiable:  # no parameter of it can be wrong
            continue


# valid JSON is not all: a path has to exist, a picture to be one, a model to be known
def _fuzz(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def answers(case: schemathesis.Case) -> None:
        excluded: list[Any] = [positive_data_acceptance]
        if case.media_type == "multipart/form-data":  # an empty list is no part of a form: what is sent may be valid
            excluded.append(negative_data_rejection)
        case.call_and_validate(timeout=30, excluded_checks=excluded)

    answers()


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi/manga.json", "/openapi/hook.json"])
def test_it_is_of_the_version_that_the_page_can_show(service: Service, path: str) -> None:
    schema = service.http.get(path).json()
    assert schema["openapi"] == VERSION
    assert schema["paths"]
    text = json.dumps(schema)
    for word in ('"type": "null"', '"const"', '"prefixItems"', '"exclusiveMinimum": 0', '"$defs"'):
        assert word not in text


def test_every_call_may_be_answered_that_the_server_fails_or_ends(schema: dict[str, Any]) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert {"500", "503"} <= set(operation["responses"])


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    for reference in _references(schema):
        place: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_operation_is_described_and_tells_its_errors(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            refusals = [answer for status, answer in operation["responses"].items() if status >= "400"]
            assert all("application/problem+json" in answer["content"] for answer in refusals)
            assert len(refusals) >= 4


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for part in value.values() for each in _references(part)]
    return [each for part in value for each in _references(part)] if isinstance(value, list) else []


def test_every_json_body_has_an_example_or_says_what_its_fields_are_like(schema: dict[str, Any]) -> None:
    operations = [(path, each) for path, methods in schema["paths"].items() for each in methods.values()]
    for path, operation in operations:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert content is None or "example" in json.dumps(_resolved(content, schema)), path


def _resolved(content: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The content, with the schema it names."""
    named = [schema["components"]["schemas"][each.rpartition("/")[2]] for each in _references(content)]
    return {**content, "named": named}
