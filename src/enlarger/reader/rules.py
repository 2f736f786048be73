"""A rule: which pages it is about, and what they get or why they get nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel

from enlarger.enhance import DEFAULT_MODEL

Dimensions = Literal["and", "or"]
Pixels = Annotated[int, Field(ge=0, le=1_000_000)]
Amount = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
_MOST_LETTERS = 500
Name = Annotated[str, Field(max_length=_MOST_LETTERS)]
Pattern = Annotated[str, Field(max_length=10_000)]
FileTypes = Annotated[tuple[Name, ...], Field(max_length=100)]

in_camel_case = with_config(ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid"))


@in_camel_case
@dataclass(frozen=True)
class Match:
    """What a page must be like; 0, "" and () are no condition. All that is asked for must hold.

    dimensions: whether width and height must both be within their bounds, or either. Megapixels are of the source,
    the aspect ratio is width / height. file_types: as in file names ("jpg", "png"). Patterns are regular expressions
    in RE2's syntax, found anywhere in the path; a page whose path an excluding one finds is not matched.
    inner_path: page patterns see only the member's path inside its archive ("" of a page that is in none).
    """

    min_width: Pixels = 0
    max_width: Pixels = 0
    min_height: Pixels = 0
    max_height: Pixels = 0
    dimensions: Dimensions = "and"
    min_megapixels: Amount = 0.0
    max_megapixels: Amount = 0.0
    min_aspect_ratio: Amount = 0.0
    max_aspect_ratio: Amount = 0.0
    file_types: FileTypes = ()
    book_include: Pattern = ""
    book_exclude: Pattern = ""
    page_include: Pattern = ""
    page_exclude: Pattern = ""
    inner_path: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """Those that are given."""
        given = (self.book_include, self.book_exclude, self.page_include, self.page_exclude)
        return tuple(pattern for pattern in given if pattern)


@in_camel_case
@dataclass(frozen=True)
class Treatment:
    """What a page gets, as a person says it. noise: a level of the model, None to leave it alone.

    tile_size: a side in pixels, 0 = planned; it counts only while `tile_enabled`.
    """

    model: Name = DEFAULT_MODEL
    scale: Annotated[float, Field(ge=1, le=32, allow_inf_nan=False)] = 2.0
    noise: Annotated[int, Field(ge=-1, le=3)] | None = None
    tile_size: Annotated[int, Field(ge=0, le=4096)] = 0
    tile_enabled: bool = True

    @property
    def tile_px(self) -> int:
        """The tile side that is obeyed, 0 = planned."""
        return self.tile_size if self.tile_enabled else 0


@in_camel_case
@dataclass(frozen=True)
class Rule:
    """A condition and its treatment; of several that match, the smallest `priority` wins, then the first in the list.

    skip: pages that match are left as they are.
    """

    id: Name
    name: Name
    enabled: bool = True
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 0
    match: Match = field(default_factory=Match)
    skip: bool = False
    recipe: Treatment = field(default_factory=Treatment)


@in_camel_case
@dataclass(frozen=True)
class RuleSet:
    """All rules, and whether they are asked at all."""

    enabled: bool = False
    rules: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()

    @property
    def patterns(self) -> frozenset[str]:
        """Of all rules."""
        return frozenset(pattern for rule in self.rules for pattern in rule.match.patterns)

    @property
    def in_turn(self) -> tuple[Rule, ...]:
        """Those that are enabled, in the order they are asked."""
        return tuple(sorted((rule for rule in self.rules if rule.enabled), key=_priority))

    def with_own_ids(self) -> RuleSet:
        """The same with ids that differ: a second rule of an id gets a number behind it, so that each can be named."""
        return replace(self, rules=tuple(_with_own_ids(self.rules)))


def _priority(rule: Rule) -> int:
    return rule.priority


def _with_own_ids(rules: Iterable[Rule]) -> Iterable[Rule]:
    taken: set[str] = set()
    for rule in rules:
        stem = own = (rule.id or "rule")[:_MOST_LETTERS]
        number = 1
        while own in taken:
            number += 1
            own = f"{stem[: _MOST_LETTERS - len(f'-{number}')]}-{number}"
        taken.add(own)
        yield rule if own == rule.id else replace(rule, id=own)
