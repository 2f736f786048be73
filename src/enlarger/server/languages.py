"""Which of the two languages a request asks for."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import Scope

from enlarger.messages import LANGUAGES, current_language


def language_of(scope: Scope) -> str:
    """ "zh" or "en": the one that Accept-Language ranks first, else the server's own."""
    ranked = sorted(_wishes(Headers(scope=scope).get("accept-language", "")), key=lambda wish: -wish[1])
    for tag, weight in ranked:
        if weight > 0 and tag in LANGUAGES:
            return tag
    return current_language()


def _wishes(header: str) -> Iterator[tuple[str, float]]:
    for wish in header.split(","):
        tag, _, parameters = wish.partition(";")
        yield tag.strip().lower().partition("-")[0], _weight(parameters)


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
