"""What becomes of a page, and why: the first matching rule's treatment, the options', or none."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.messages import Message, msg
from enlarger.reader.facts import PageFacts
from enlarger.reader.matching import RuleTrace, trace_rule
from enlarger.reader.patterns import Patterns
from enlarger.reader.rules import Rule, RuleSet, Treatment


@dataclass(frozen=True)
class Verdict:
    """`recipe` is None for a page that is skipped. trace: the rules that were asked, up to the one that took it."""

    recipe: Treatment | None
    reason: Message
    rule: Rule | None = None
    trace: tuple[RuleTrace, ...] = ()

    @property
    def enlarges(self) -> bool:
        """Whether the page is to be enlarged."""
        return self.recipe is not None


def judge(
    page: PageFacts, rules: RuleSet, default: Treatment, patterns: Patterns, *, asked: Treatment | None = None
) -> Verdict:
    """What the page gets. `asked`: a request that named its model, which goes past all rules."""
    if asked is not None:
        return Verdict(asked, msg("The request named the model “{model}”.", model=asked.model))
    if not rules.enabled:
        return Verdict(default, msg("Rules are off: every page gets “{model}”.", model=default.model))
    trace: list[RuleTrace] = []
    for rule in rules.in_turn:
        trace.append(trace_rule(rule, page, patterns))
        if trace[-1].matched:
            return _taken(rule, tuple(trace))
    nobody = msg("No condition matches ({width}x{height})", width=page.width, height=page.height)
    return Verdict(None, nobody, trace=tuple(trace))


def _taken(rule: Rule, trace: tuple[RuleTrace, ...]) -> Verdict:
    if rule.skip:
        return Verdict(None, msg("Condition '{name}' asks to skip", name=rule.name), rule, trace)
    return Verdict(rule.recipe, msg("Rule “{name}” matches.", name=rule.name), rule, trace)
