"""What a job of one page ended with: its page, or the reason that the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_making import BROKEN, add_job, new_ledger, result, work

from enlarger.jobs import Failure, Job, OnlyPage, Page, only_page
from enlarger.jobs.ledger import Ledger
from enlarger.messages import msg


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


class _Jobs:
    """Of the room's face what is asked here, over a ledger alone."""

    def __init__(self, ledger: Ledger) -> None:
        self.pages = ledger.pages

    def output_path(self, page: Page) -> Path:
        assert page.result is not None
        return Path("/outputs", page.result.output)


def ended(ledger: Ledger, job: Job) -> OnlyPage | Failure:
    jobs: Any = _Jobs(ledger)
    return only_page(jobs, job)


def test_a_done_job_gives_its_page_and_the_file(ledger: Ledger) -> None:
    job_id = add_job(ledger, "a", packs=False)
    work(ledger)
    assert ended(ledger, ledger.get(job_id)) == OnlyPage(result("a"), Path("/outputs/a.png"))


def test_a_page_that_failed_says_why(ledger: Ledger) -> None:
    job_id = add_job(ledger, "a", packs=False)
    work(ledger, fails=("a",))
    assert ended(ledger, ledger.get(job_id)) == BROKEN


@pytest.mark.parametrize("names", [(), ("a",)])
def test_a_job_that_failed_says_why_whether_it_had_its_page_or_not(ledger: Ledger, names: tuple[str, ...]) -> None:
    refused = Failure("weights_refused", msg("{page}: broken.", page="model"))
    assert ended(ledger, ledger.fail_job(add_job(ledger, *names, packs=False), refused)) == refused


def test_a_job_that_was_cancelled_was_stopped_on_request(ledger: Ledger) -> None:
    found = ended(ledger, ledger.cancel(add_job(ledger, "a", packs=False)))
    assert isinstance(found, Failure)
    assert (found.code, found.text("en")) == ("cancelled", "Stopped on request.")
