"""The facades' schemas are true: what schemathesis makes of them is answered as they say, and never with 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from loopback import served
from memory_jobs import MemoryJobs
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from enlarger.jobs import Failure
from enlarger.messages import msg
from enlarger.server import hook, manga
from enlarger.settings import Settings


@pytest.fixture(scope="module", params=[manga, hook], ids=["manga", "hook"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    jobs = MemoryJobs(Settings(storage_dir=tmp_path_factory.mktemp("server") / "storage"))
    jobs.on_submit = lambda job_id: jobs.fail(job_id, Failure("x", msg("Nothing is rendered here.")))
    with served(jobs, request.param.build) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_answers_are_what_the_schema_says(url: str, mode: GenerationMode) -> None:
    loaded = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for operation in (each.ok() for each in loaded.get_all_operations()):
        try:
            _fuzz(operation, mode)
        except Unsatisfiable:  # no parameter of it can be wrong
            continue


# a path has to lead somewhere and a model to be known; and the hook takes whatever it is given
_EXCLUDED: list[Any] = [positive_data_acceptance, negative_data_rejection]


def _fuzz(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def answers(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=30, excluded_checks=_EXCLUDED)

    answers()
