"""Rules against a plain reference with every field, and what a person is told of each condition."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.reader import Match, PageFacts, Rule, RuleSet, Treatment, Verdict
from enlarger.reader.patterns import Patterns
from enlarger.reader.verdict import judge

_SIZES = st.sampled_from([0, 1, 799, 800, 801, 1200, 2000])
_SHARES = st.sampled_from([0.0, 0.5, 0.66, 0.96, 1.0, 1.5, 2.5])
_TYPES = st.sampled_from(["jpg", "JPEG", ".png", "webp", "gif"])
_PATTERNS = st.sampled_from(["", "vol", "^/manga/", r"\d\d\.jpg$", "inner=", "カ", "extra|cover"])
_MATCHES = st.builds(
    Match,
    min_width=_SIZES,
    max_width=_SIZES,
    min_height=_SIZES,
    max_height=_SIZES,
    dimensions=st.sampled_from(["and", "or"]),
    min_megapixels=_SHARES,
    max_megapixels=_SHARES,
    min_aspect_ratio=_SHARES,
    max_aspect_ratio=_SHARES,
    file_types=st.lists(_TYPES, max_size=2).map(tuple),
    book_include=_PATTERNS,
    book_exclude=_PATTERNS,
    page_include=_PATTERNS,
    page_exclude=_PATTERNS,
    inner_path=st.booleans(),
)
_RULES = st.builds(
    Rule,
    id=st.sampled_from("abcdef"),
    name=st.sampled_from(["Large", "大图"]),
    enabled=st.booleans(),
    priority=st.integers(-2, 2),
    match=_MATCHES | st.just(Match()),
    skip=st.booleans(),
    recipe=st.builds(Treatment, model=st.sampled_from(["a", "b"]), scale=st.sampled_from([2.0, 4.0])),
)
_PAGES = st.builds(
    PageFacts,
    width=st.sampled_from([1, 799, 800, 801, 1500]),
    height=st.sampled_from([1, 800, 1200, 2001]),
    file_type=st.sampled_from(["jpeg", "png", "webp", ""]),
    book_path=st.sampled_from(["/manga/vol 1.cbz", "/other/カ", ""]),
    page_path=st.sampled_from(["/manga/vol 1.cbz inner=extra/01.jpg", "/other/カ/02.png", "cover.jpg", ""]),
)


def plainly(match: Match, page: PageFacts) -> bool:
    """The whole of a rule's conditions in the fewest words."""

    def within(low: float, high: float, value: float) -> bool:
        return (not low or value >= low) and (not high or value <= high)

    wide = within(match.min_width, match.max_width, page.width)
    high = within(match.min_height, match.max_height, page.height)
    both = (match.min_width or match.max_width) and (match.min_height or match.max_height)
    size = wide or high if match.dimensions == "or" and both else wide and high
    path = page.page_path.split(" inner=", 1)
    inside = ([*path, ""][1]) if match.inner_path else page.page_path
    name = page.file_type or (page.page_path.rsplit(".", 1)[-1] if "." in page.page_path else "")
    types = {kind.lower().strip(".").replace("jpg", "jpeg") for kind in match.file_types}
    return bool(
        size
        and within(match.min_megapixels, match.max_megapixels, page.width * page.height / 1e6)
        and within(match.min_aspect_ratio, match.max_aspect_ratio, page.width / page.height)
        and (not types or name.lower().replace("jpg", "jpeg") in types)
        and (not match.book_include or re.search(match.book_include, page.book_path))
        and not (match.book_exclude and re.search(match.book_exclude, page.book_path))
        and (not match.page_include or re.search(match.page_include, inside))
        and not (match.page_exclude and re.search(match.page_exclude, inside))
    )


def plain_winner(rules: RuleSet, page: PageFacts) -> Rule | None:
    best: Rule | None = None
    for rule in rules.rules:
        if rule.enabled and plainly(rule.match, page) and (best is None or rule.priority < best.priority):
            best = rule
    return best


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_RULES, max_size=6).map(tuple), _PAGES)
def test_the_first_match_by_priority_wins(rules: tuple[Rule, ...], page: PageFacts) -> None:
    verdict = judge(page, RuleSet(True, rules), Treatment("default"), Patterns())
    winner = plain_winner(RuleSet(True, rules), page)
    assert verdict.rule is winner
    assert verdict.recipe == (None if winner is None or winner.skip else winner.recipe)
    matched = [trace.matched for trace in verdict.trace]
    assert not any(matched[:-1])
    assert matched[-1:] in ([], [winner is not None])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_MATCHES, _PAGES)
def test_a_rule_matches_exactly_when_every_check_passed(match: Match, page: PageFacts) -> None:
    trace = asked(match, page).trace[0]
    assert trace.matched == plainly(match, page) == all(check.passed for check in trace.checks)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_RULES, max_size=3).map(tuple), _PAGES)
def test_rules_off_or_a_named_model_go_past_all_rules(rules: tuple[Rule, ...], page: PageFacts) -> None:
    default, named = Treatment("default"), Treatment("named", 3.0)
    off = judge(page, RuleSet(False, rules), default, Patterns())
    assert (off.recipe, off.rule, off.trace) == (default, None, ())
    for enabled in (True, False):
        assert judge(page, RuleSet(enabled, rules), default, Patterns(), asked=named).recipe == named


def asked(match: Match, page: PageFacts, **rule: Any) -> Verdict:
    return judge(page, RuleSet(True, (Rule("a", "A", match=match, **rule),)), Treatment(), Patterns())


PAGE = PageFacts(1000, 1500, "jpeg", "/manga/vol 1.cbz", "/manga/vol 1.cbz inner=extra/01.jpg")


@pytest.mark.parametrize(
    ("field", "passes", "fails", "found"),
    [
        ("min_width", 1000, 1001, "1000"),
        ("max_width", 1000, 999, "1000"),
        ("min_height", 1500, 1501, "1500"),
        ("max_height", 1500, 1499, "1500"),
        ("min_megapixels", 1.5, 1.51, "1.5"),
        ("max_megapixels", 1.5, 1.49, "1.5"),
        ("min_aspect_ratio", 0.66, 0.67, "0.666667"),
        ("max_aspect_ratio", 0.67, 0.66, "0.666667"),
        ("file_types", ("png", ".JPG"), ("png",), "jpeg"),
        ("book_include", "vol", "chapter", "/manga/vol 1.cbz"),
        ("book_exclude", "chapter", "vol", "/manga/vol 1.cbz"),
        ("page_include", "^/manga.* inner=extra/", "^extra/", "/manga/vol 1.cbz inner=extra/01.jpg"),
        ("page_exclude", "02", "01", "/manga/vol 1.cbz inner=extra/01.jpg"),
    ],
)
def test_every_condition_is_obeyed_and_told(field: str, passes: Any, fails: Any, found: str) -> None:
    for value, expected in ((passes, True), (fails, False)):
        verdict = asked(Match(**{field: value}), PAGE)
        (check,) = verdict.trace[0].checks
        assert (check.passed, check.found, verdict.enlarges) == (expected, found, expected)
        assert check.condition == "".join(part.title() if n else part for n, part in enumerate(field.split("_")))


def test_either_dimension_may_be_enough() -> None:
    match = Match(min_width=2000, max_height=1600, dimensions="or")
    assert asked(match, PAGE).enlarges
    assert not asked(Match(min_width=2000, max_height=1600), PAGE).enlarges
    (check,) = asked(match, PAGE).trace[0].checks
    assert (check.condition, check.wanted, check.found) == ("dimensions", "2000– x * | * x –1600", "1000 x 1500")
    assert not asked(Match(min_width=2000, dimensions="or"), PAGE).enlarges  # the other side has no condition


def test_page_patterns_may_see_only_the_members_path() -> None:
    assert asked(Match(page_include="^extra/", inner_path=True), PAGE).enlarges
    loose = PageFacts(1, 1, "png", "/manga", "/manga/extra/01.png")
    assert not asked(Match(page_include="extra", inner_path=True), loose).enlarges
    assert asked(Match(page_include="^/manga/extra/"), loose).enlarges


def test_reasons_are_those_that_readers_know() -> None:
    nobody, skipped = asked(Match(min_width=9000), PAGE).reason, asked(Match(), PAGE, skip=True).reason
    assert (nobody.text("en"), nobody.text("zh")) == ("No condition matches (1000x1500)", "无条件匹配 (1000x1500)")
    assert (skipped.text("en"), skipped.text("zh")) == ("Condition 'A' asks to skip", "条件 'A' 要求跳过")


def test_a_bad_pattern_matches_nothing_and_is_told() -> None:
    for field in ("book_include", "book_exclude", "page_include", "page_exclude"):
        rules = RuleSet(True, (Rule("bad", "Bad", match=Match(**{field: "("})), Rule("b", "B", priority=1)))
        verdict = judge(PAGE, rules, Treatment(), Patterns())
        assert verdict.rule is not None
        assert verdict.rule.id == "b"
        problem = verdict.trace[0].problem
        assert problem is not None
        assert "“(”" in problem.text("en")
