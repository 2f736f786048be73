"""One job that cannot be asked what it lacks fails alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from fake_workers import recipe

from enlarger.enhance import Recipe
from enlarger.jobs import Job, Pulls
from enlarger.jobs.fetching import Fetching
from enlarger.jobs.weights import Lack, Weights
from enlarger.models import load_catalog
from enlarger.settings import Settings

CATALOG = load_catalog()


class _Stumbling(Weights):
    def lacking(self, recipe: Recipe) -> tuple[Lack, ...]:
        if recipe.scale == 3:
            raise ValueError("min() of nothing")
        return ()


def job(name: str, scale: float) -> Job:
    submission = SimpleNamespace(recipe=recipe(scale=scale), source=SimpleNamespace(path=f"{name}.cbz"))
    return cast("Job", SimpleNamespace(id=name, submission=submission))


def test_what_nobody_thought_of_fails_one_job_and_the_others_are_listed(settings: Settings) -> None:
    failed: dict[str, Any] = {}
    ledger: Any = SimpleNamespace(fail_job=failed.__setitem__)
    pulls = Pulls(settings, CATALOG)
    jobs = [job("first", 2.0), job("odd", 3.0), job("last", 2.0)]
    try:
        ready = Fetching(ledger, pulls, _Stumbling(settings, CATALOG)).ready(jobs)
    finally:
        pulls.close()
    assert [each.id for each in ready] == ["first", "last"]
    assert list(failed) == ["odd"]
    assert "ValueError: min() of nothing" in failed["odd"].text("en")
