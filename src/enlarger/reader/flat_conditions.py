"""Rules as earlier readers write them: flat conditions in JSON, in and out.

What a flat condition cannot say in its original keys is written in keys of its own, and only where it says something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from enlarger.errors import BadRuleError, EnlargerError
from enlarger.models import CONSERVATIVE, Card, Catalog
from enlarger.reader.json_forms import said
from enlarger.reader.options import level_of
from enlarger.reader.rules import Amount, Dimensions, FileTypes, Match, Name, Pattern, Pixels, Rule, RuleSet, Treatment

_T = TypeVar("_T")
_LEAVES_NOISE_ALONE = -1


class FlatCondition(BaseModel):
    """One condition. noiseLevel: -1 leaves the noise alone, but for models that have a conservative level."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    id: Name = ""
    name: Name = ""
    enabled: bool = True
    priority: int = Field(0, ge=-(2**31), lt=2**31)
    min_width: Pixels = 0
    min_height: Pixels = 0
    max_width: Pixels = 0
    max_height: Pixels = 0
    min_pixels: Amount = 0.0
    max_pixels: Amount = 0.0
    regex_book_path: Pattern | None = None
    regex_image_path: Pattern | None = None
    match_inner_path: bool = False
    model_name: Name = ""
    scale: float = Field(2.0, ge=1, le=32, allow_inf_nan=False)
    tile_size: int = Field(0, ge=0, le=4096)
    tile_enabled: bool = True
    noise_level: int | None = Field(None, ge=-1, le=3)
    skip: bool = False
    min_aspect_ratio: Amount = 0.0
    max_aspect_ratio: Amount = 0.0
    file_types: FileTypes = ()
    dimensions: Dimensions = "and"
    regex_book_path_exclude: Pattern = ""
    regex_image_path_exclude: Pattern = ""


class FlatConditions(BaseModel):
    """All of them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    upscale_conditions_enabled: bool = False
    upscale_conditions: tuple[FlatCondition, ...] = Field((), max_length=1000)


_OWN_KEYS = (
    "minAspectRatio",
    "maxAspectRatio",
    "fileTypes",
    "dimensions",
    "regexBookPathExclude",
    "regexImagePathExclude",
)
_SILENT = FlatCondition().model_dump(mode="json", by_alias=True)


def rules_of_flat(flat: Mapping[str, Any], catalog: Catalog) -> RuleSet:
    """`{"upscaleConditionsEnabled", "upscaleConditions"}`; raises BadRuleError, which names the field."""
    try:
        conditions = FlatConditions.model_validate(flat)
    except ValidationError as error:
        raise BadRuleError(said(error)) from None
    rules = tuple(_rule(condition, catalog) for condition in conditions.upscale_conditions)
    return RuleSet(conditions.upscale_conditions_enabled, rules).with_own_ids()


def flat_of_rules(rules: RuleSet, catalog: Catalog) -> dict[str, Any]:
    """The reverse; the same rules come back from it."""
    conditions = [_flat(rule, catalog) for rule in rules.rules]
    return {"upscaleConditionsEnabled": rules.enabled, "upscaleConditions": conditions}


def _rule(flat: FlatCondition, catalog: Catalog) -> Rule:
    match = Match(
        min_width=flat.min_width,
        max_width=flat.max_width,
        min_height=flat.min_height,
        max_height=flat.max_height,
        dimensions=flat.dimensions,
        min_megapixels=flat.min_pixels,
        max_megapixels=flat.max_pixels,
        min_aspect_ratio=flat.min_aspect_ratio,
        max_aspect_ratio=flat.max_aspect_ratio,
        file_types=flat.file_types,
        book_include=flat.regex_book_path or "",
        book_exclude=flat.regex_book_path_exclude,
        page_include=flat.regex_image_path or "",
        page_exclude=flat.regex_image_path_exclude,
        inner_path=flat.match_inner_path,
    )
    model = flat.model_name or Treatment().model
    noise = _asked_of(model, catalog, lambda card: level_of(flat.noise_level, card), flat.noise_level)
    recipe = Treatment(model, flat.scale, noise, flat.tile_size, flat.tile_enabled)
    return Rule(flat.id, flat.name, flat.enabled, flat.priority, match, flat.skip, recipe)


def _flat(rule: Rule, catalog: Catalog) -> dict[str, Any]:
    match, recipe = rule.match, rule.recipe
    noise = recipe.noise if recipe.noise is not None else _asked_of(recipe.model, catalog, _no_level, None)
    flat = FlatCondition(
        id=rule.id,
        name=rule.name,
        enabled=rule.enabled,
        priority=rule.priority,
        min_width=match.min_width,
        min_height=match.min_height,
        max_width=match.max_width,
        max_height=match.max_height,
        min_pixels=match.min_megapixels,
        max_pixels=match.max_megapixels,
        regex_book_path=match.book_include,
        regex_image_path=match.page_include,
        match_inner_path=match.inner_path,
        model_name=recipe.model,
        scale=recipe.scale,
        tile_size=recipe.tile_size,
        tile_enabled=recipe.tile_enabled,
        noise_level=noise,
        skip=rule.skip,
        min_aspect_ratio=match.min_aspect_ratio,
        max_aspect_ratio=match.max_aspect_ratio,
        file_types=match.file_types,
        dimensions=match.dimensions,
        regex_book_path_exclude=match.book_exclude,
        regex_image_path_exclude=match.page_exclude,
    )
    written = flat.model_dump(mode="json", by_alias=True)
    return {key: value for key, value in written.items() if key not in _OWN_KEYS or value != _SILENT[key]}


def _no_level(card: Card) -> int | None:
    """How a client says that the noise is left alone; null where -1 is a level of the model's own."""
    return None if CONSERVATIVE in card.noise_levels else _LEAVES_NOISE_ALONE


def _asked_of(model: str, catalog: Catalog, ask: Callable[[Card], _T], unknown: _T) -> _T:
    """What the model's card says, or `unknown`: a model that is not there is for the page's error to tell."""
    try:
        found = catalog.find(model)
    except EnlargerError:
        return unknown
    return ask(found if isinstance(found, Card) else found.card)
