"""Rules and options as JSON, camelCase, checked on the way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from enlarger.errors import BadRuleError, InputError
from enlarger.messages import msg
from enlarger.reader.options import ReaderOptions
from enlarger.reader.rules import RuleSet

_T = TypeVar("_T")


def rules_from_json(value: Any) -> RuleSet:
    """`{"enabled", "rules"}`; raises BadRuleError, which names the field."""
    try:
        return _read(RuleSet, value).with_own_ids()
    except ValidationError as error:
        raise BadRuleError(said(error)) from None


def options_from_json(value: Any) -> ReaderOptions:
    """Options as stored or sent; what is left out is the default. Raises InputError, which names the field."""
    try:
        return _read(ReaderOptions, value)
    except ValidationError as error:
        raise InputError(said(error)) from None


def as_json(value: object) -> dict[str, Any]:
    """Rules, options or a part of them."""
    written: dict[str, Any] = TypeAdapter(type(value)).dump_python(value, mode="json", by_alias=True)
    return written


def changed_options(options: ReaderOptions, changes: Mapping[str, Any]) -> ReaderOptions:
    """The options with some fields changed, named as in JSON or as here. Raises InputError."""
    before = as_json(options)
    given = {_CAMEL.get(name, name): value for name, value in changes.items()}
    if isinstance(given.get("lookAhead"), Mapping):
        given["lookAhead"] = {**before["lookAhead"], **given["lookAhead"]}
    return options_from_json({**before, **given})


_CAMEL = {"tile_size": "tileSize", "look_ahead": "lookAhead"}


def _read(kind: type[_T], value: Any) -> _T:
    read: _T = TypeAdapter(kind).validate_python(value, by_alias=True, by_name=True)
    return read


def said(error: ValidationError) -> Any:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "JSON"
    return msg("{field}: {problem}.", field=where, problem=first["msg"])
