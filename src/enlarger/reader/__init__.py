"""The reader: what is open and where in it, which pages are wanted first, and what each of them gets."""

from enlarger.reader.facts import PageFacts
from enlarger.reader.matching import Check, RuleTrace
from enlarger.reader.patterns import Patterns
from enlarger.reader.rules import Match, Rule, RuleSet, Treatment
from enlarger.reader.verdict import Verdict, judge

__all__ = [
    "Check",
    "Match",
    "PageFacts",
    "Patterns",
    "Rule",
    "RuleSet",
    "RuleTrace",
    "Treatment",
    "Verdict",
    "judge",
]
