"""A rule: which pages it is about, and what they get or why they get nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from enlarger.enhance import DEFAULT_MODEL

Dimensions = Literal["and", "or"]


@dataclass(frozen=True)
class Match:
    """What a page must be like; 0, "" and () are no condition. All that is asked for must hold.

    dimensions: whether width and height must both be within their bounds, or either. Megapixels are of the source,
    the aspect ratio is width / height. file_types: as in file names ("jpg", "png"). Patterns are regular expressions
    in RE2's syntax, found anywhere in the path; a page whose path an excluding one finds is not matched.
    inner_path: page patterns see only the member's path inside its archive ("" of a page that is in none).
    """

    min_width: int = 0
    max_width: int = 0
    min_height: int = 0
    max_height: int = 0
    dimensions: Dimensions = "and"
    min_megapixels: float = 0.0
    max_megapixels: float = 0.0
    min_aspect_ratio: float = 0.0
    max_aspect_ratio: float = 0.0
    file_types: tuple[str, ...] = ()
    book_include: str = ""
    book_exclude: str = ""
    page_include: str = ""
    page_exclude: str = ""
    inner_path: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """Those that are given."""
        given = (self.book_include, self.book_exclude, self.page_include, self.page_exclude)
        return tuple(pattern for pattern in given if pattern)


@dataclass(frozen=True)
class Treatment:
    """What a page gets, as a person says it. noise: a level of the model, None to leave it alone.

    tile_size: a side in pixels, 0 = planned; it counts only while `tile_enabled`.
    """

    model: str = DEFAULT_MODEL
    scale: float = 2.0
    noise: int | None = None
    tile_size: int = 0
    tile_enabled: bool = True

    @property
    def tile_px(self) -> int:
        """The tile side that is obeyed, 0 = planned."""
        return self.tile_size if self.tile_enabled else 0


@dataclass(frozen=True)
class Rule:
    """A condition and its treatment; of several that match, the smallest `priority` wins, then the first in the list.

    skip: pages that match are left as they are.
    """

    id: str
    name: str
    enabled: bool = True
    priority: int = 0
    match: Match = field(default_factory=Match)
    skip: bool = False
    recipe: Treatment = field(default_factory=Treatment)


@dataclass(frozen=True)
class RuleSet:
    """All rules, and whether they are asked at all."""

    enabled: bool = False
    rules: tuple[Rule, ...] = ()

    @property
    def in_turn(self) -> tuple[Rule, ...]:
        """Those that are enabled, in the order they are asked."""
        return tuple(sorted((rule for rule in self.rules if rule.enabled), key=_priority))


def _priority(rule: Rule) -> int:
    return rule.priority


def without_repeats(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules with ids that differ: a second one of an id gets a number behind it, so that each can be named."""
    taken: set[str] = set()
    return tuple(_with_own_id(rule, taken) for rule in rules)


def _with_own_id(rule: Rule, taken: set[str]) -> Rule:
    stem, number = rule.id or "rule", 1
    own = stem
    while own in taken:
        number += 1
        own = f"{stem}-{number}"
    taken.add(own)
    return rule if own == rule.id else replace(rule, id=own)
