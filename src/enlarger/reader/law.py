"""What decides about pages: the rules, the options and the models, as they are together at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.enhance import Recipe
from enlarger.errors import EnlargerError
from enlarger.jobs import Failure
from enlarger.models import Catalog
from enlarger.reader.facts import PageFacts
from enlarger.reader.options import ReaderOptions
from enlarger.reader.patterns import Patterns
from enlarger.reader.rules import RuleSet, Treatment
from enlarger.reader.verdict import Verdict, judge


@dataclass(frozen=True)
class Decision:
    """What a page gets: the recipe, None for nothing; failure: what was decided cannot be done."""

    verdict: Verdict
    recipe: Recipe | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Law:
    """Never changed, only replaced. Asking takes as long as people's patterns take."""

    rules: RuleSet
    options: ReaderOptions
    catalog: Catalog
    patterns: Patterns

    def verdict(self, facts: PageFacts, asked: Treatment | None = None) -> Verdict:
        """What such a page gets, and why. asked: the treatment that a request named."""
        return judge(facts, self.rules, self.options.treatment, self.patterns, asked=asked)

    def decide(self, facts: PageFacts, asked: Treatment | None) -> Decision:
        """The verdict, and the recipe that follows."""
        verdict = self.verdict(facts, asked)
        if verdict.recipe is None:
            return Decision(verdict)
        try:
            return Decision(verdict, self.options.recipe(verdict.recipe, self.catalog))
        except EnlargerError as error:
            return Decision(verdict, failure=Failure.of(error))
