"""Whether a rule matches a page, condition by condition: what was wanted, what was found, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enlarger.errors import BadRuleError
from enlarger.messages import Message
from enlarger.reader.facts import PageFacts, canonical_type
from enlarger.reader.patterns import Patterns
from enlarger.reader.rules import Match, Rule


@dataclass(frozen=True)
class Check:
    """One condition of a rule, by its JSON name."""

    condition: str
    wanted: str
    found: str
    passed: bool


@dataclass(frozen=True)
class RuleTrace:
    """How a rule took a page: it matched when every check passed and there was no problem with the rule itself."""

    rule: Rule
    checks: tuple[Check, ...] = ()
    problem: Message | None = None

    @property
    def matched(self) -> bool:
        """Whether the rule is about the page."""
        return self.problem is None and all(check.passed for check in self.checks)


def trace_rule(rule: Rule, page: PageFacts, patterns: Patterns) -> RuleTrace:
    """The rule asked about the page; one with a pattern that cannot be used matches nothing."""
    match = rule.match
    checks = [*_size_checks(match, page), *_shape_checks(match, page), *_type_checks(match, page)]
    try:
        checks += _path_checks(match, page, patterns)
    except BadRuleError as error:
        return RuleTrace(rule, tuple(checks), error.message)
    return RuleTrace(rule, tuple(checks))


def _size_checks(match: Match, page: PageFacts) -> list[Check]:
    width = list(_bounds("Width", match.min_width, match.max_width, page.width))
    height = list(_bounds("Height", match.min_height, match.max_height, page.height))
    if match.dimensions == "or" and width and height:
        return [_either(match, page, width, height)]
    return width + height


def _either(match: Match, page: PageFacts, *sides: list[Check]) -> Check:
    wanted = f"{_span(match.min_width, match.max_width)} x * | * x {_span(match.min_height, match.max_height)}"
    passed = any(all(check.passed for check in side) for side in sides)
    return Check("dimensions", wanted, f"{page.width} x {page.height}", passed)


def _span(low: int, high: int) -> str:
    return f"{low or ''}–{high or ''}"


def _shape_checks(match: Match, page: PageFacts) -> Iterator[Check]:
    yield from _bounds("Megapixels", match.min_megapixels, match.max_megapixels, page.megapixels)
    yield from _bounds("AspectRatio", match.min_aspect_ratio, match.max_aspect_ratio, page.aspect_ratio)


def _bounds(what: str, low: float, high: float, found: float) -> Iterator[Check]:
    if low:
        yield Check(f"min{what}", _number(low), _number(found), found >= low)
    if high:
        yield Check(f"max{what}", _number(high), _number(found), found <= high)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _type_checks(match: Match, page: PageFacts) -> Iterator[Check]:
    if match.file_types:
        wanted = {canonical_type(name) for name in match.file_types}
        yield Check("fileTypes", ", ".join(match.file_types), page.kind, page.kind in wanted)


def _path_checks(match: Match, page: PageFacts, patterns: Patterns) -> list[Check]:
    inside = page.inner_path if match.inner_path else page.page_path
    asked = (
        ("bookInclude", match.book_include, page.book_path, True),
        ("bookExclude", match.book_exclude, page.book_path, False),
        ("pageInclude", match.page_include, inside, True),
        ("pageExclude", match.page_exclude, inside, False),
    )
    return [
        Check(condition, pattern, path, patterns.found(pattern, path) is wanted)
        for condition, pattern, path, wanted in asked
        if pattern
    ]
