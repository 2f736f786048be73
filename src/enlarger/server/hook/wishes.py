"""What the hook's URL asks for: how long the reader waits, and what the page should become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enlarger.enhance import DEFAULT_MODEL, Recipe, make_recipe
from enlarger.errors import RecipeError
from enlarger.jobs import Priority
from enlarger.messages import msg
from enlarger.models import Catalog, parse_noise
from enlarger.pictures import Header

DEFAULT_WITHIN = "9m"  # Suwayomi's own call timeout is 10 minutes
READING_WITHIN_S = 10.0
_LONGEST_S = 3600.0
_UNITS_S = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|)")


@dataclass(frozen=True)
class Wishes:
    """The query, read. scale: None, the model's own. max_width: in pixels, 0 = no limit."""

    within_s: float
    max_width: int
    scale: float | None
    options: Mapping[str, Any]

    @property
    def priority(self) -> Priority:
        """Who waits for seconds looks at the page; who waits for minutes downloads it."""
        return Priority.READING if self.within_s <= READING_WITHIN_S else Priority.INTERACTIVE

    def recipe(self, header: Header, catalog: Catalog) -> Recipe | None:
        """What this picture gets, None where it is wide enough already; raises RecipeError, UnknownModelError."""
        recipe = make_recipe(catalog, scale=self.scale, **self.options)
        if self.max_width and header.width >= self.max_width:
            return None
        if self.max_width and recipe.output_size(header.width, header.height)[0] > self.max_width:
            return make_recipe(catalog, width=self.max_width, **self.options)
        return recipe


def read_wishes(query: Mapping[str, str]) -> Wishes:
    """Raises RecipeError, which names the option and what it may be."""
    return Wishes(
        within_s=_duration_s(query.get("within") or DEFAULT_WITHIN),
        max_width=round(_number(query, "max_width", 0)),
        scale=_number(query, "scale", 0) or None,
        options={
            "model": query.get("model") or DEFAULT_MODEL,
            "noise": parse_noise(query["noise"]) if query.get("noise") else None,
            "format": query.get("format") or "same",
            "quality": round(_number(query, "quality", 90)),
        },
    )


def _duration_s(text: str) -> float:
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or float(found[1]) * _UNITS_S[found[2]] > _LONGEST_S:
        raise RecipeError(
            msg("“{text}” is not a time to wait.", text=text), msg("Write it like 500ms, 2s or 9m; 60m is the longest.")
        )
    return float(found[1]) * _UNITS_S[found[2]]


def _number(query: Mapping[str, str], name: str, default: float) -> float:
    text = query.get(name) or str(default)
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) is None:
        raise RecipeError(msg("{name}: “{text}” is not a number.", text=text, name=name))
    return float(text)
