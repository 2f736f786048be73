"""Which page is next, who holds it, and what happens to those that kill their workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_making import BROKEN, add_job, job_in, new_ledger, result, types, work

from enlarger.jobs import Claim, Counts, JobState, PageState, Priority
from enlarger.jobs.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


def claim(ledger: Ledger, **wish: Any) -> Claim:
    found = ledger.claim(**{"worker": "w", "idle": True, **wish})
    assert found is not None
    return found


def test_a_claim_holds_the_page_and_its_job_as_they_are_now(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", title="T")
    held = claim(ledger)
    assert (held.page.name, held.page.state, held.page.attempt) == ("a", PageState.RUNNING, 1)
    assert held.page == ledger.page(job, 0)
    assert held.job == ledger.get(job)
    assert (held.job.state, held.job.submission.title) == (JobState.RUNNING, "T")
    assert held.job.started_at is not None
    assert types(ledger, job) == ["submitted", "listed", "running"]


def test_the_most_urgent_job_is_served_first(ledger: Ledger) -> None:
    for priority in (Priority.INDEXING, Priority.VOLUME, Priority.READING, Priority.AHEAD, Priority.INTERACTIVE):
        add_job(ledger, f"{priority.name}1", f"{priority.name}2", priority=priority)
    order = ["READING", "AHEAD", "INTERACTIVE", "VOLUME", "INDEXING"]
    assert work(ledger) == [f"{name}{n}" for name in order for n in (1, 2)]


def test_jobs_of_one_priority_take_turns(ledger: Ledger) -> None:
    add_job(ledger, "a1", "a2", "a3", "a4", "a5")
    add_job(ledger, "b1", "b2")
    assert work(ledger, 3) == ["a1", "b1", "a2"]
    add_job(ledger, "c1", "c2")
    assert work(ledger) == ["c1", "b2", "a3", "c2", "a4", "a5"], "who comes last is not served twice as often"


def test_a_job_that_became_more_urgent_goes_first(ledger: Ledger) -> None:
    add_job(ledger, "a1", "a2")
    later = add_job(ledger, "b1", "b2")
    assert ledger.prioritise(later, Priority.READING).submission.priority is Priority.READING
    assert ledger.events(later)[-1].data["priority"] == Priority.READING
    assert work(ledger) == ["b1", "b2", "a1", "a2"]


def test_only_what_is_more_urgent_may_interrupt(ledger: Ledger) -> None:
    add_job(ledger, "volume")
    assert ledger.claim(worker="w", idle=False, above=Priority.VOLUME) is None
    add_job(ledger, "reading", priority=Priority.READING)
    assert claim(ledger, idle=False, above=Priority.VOLUME).page.name == "reading"


def test_nothing_is_claimed_of_a_job_that_waits_for_a_person(ledger: Ledger) -> None:
    for state in (JobState.PAUSED, JobState.CANCELLED, JobState.FAILED, JobState.PACKING):
        job_in(ledger, state)
        assert ledger.claim(worker="w", idle=True) is None


# ---- fencing ----


def test_a_late_worker_cannot_touch_what_it_lost(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    lost = claim(ledger)
    assert ledger.recover() == 1
    held = claim(ledger, worker="other")
    assert held.page.attempt == 2
    assert not ledger.finish(lost, result("a"))
    assert not ledger.fail(lost, BROKEN)
    assert not ledger.give_back(lost, crashed=True)
    assert not ledger.await_key(lost, "k")
    assert ledger.page(job, 0) == held.page
    assert ledger.finish(held, result("a"))
    assert not ledger.finish(held, result("a")), "once is enough"
    assert ledger.get(job).counts == Counts(total=1, done=1)


@pytest.mark.parametrize("again", [False, True])
def test_a_cancelled_job_stays_cancelled_whatever_comes_late(ledger: Ledger, again: bool) -> None:
    job = add_job(ledger, "a", "b")
    late = claim(ledger)
    cancelled = ledger.cancel(job)
    assert cancelled.counts == Counts(total=2, cancelled=2)
    if again:
        ledger.retry(job)
    assert not ledger.finish(late, result("a"))
    assert ledger.get(job).state is (JobState.QUEUED if again else JobState.CANCELLED)


def test_a_page_of_a_list_before_is_no_page_of_the_next(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    late = claim(ledger)
    ledger.cancel(job)
    ledger.delete(job)
    other = add_job(ledger, "a")
    claim(ledger)
    assert not ledger.finish(late, result("a"))
    assert ledger.page(other, 0).state is PageState.RUNNING


# ---- after a crash of the server ----


def test_what_was_in_hand_waits_again_and_nothing_is_charged(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", "c")
    work(ledger, 1)
    claim(ledger)
    claim(ledger)
    assert ledger.recover() == 2
    assert [(page.state, page.crashes) for page in ledger.pages(job)] == [("done", 0), ("queued", 0), ("queued", 0)]
    assert (ledger.get(job).state, types(ledger, job)[-1]) == (JobState.QUEUED, "recovered")
    assert ledger.recover() == 0
    assert work(ledger) == ["b", "c"]


# ---- pages that kill, pages that wait ----


def test_a_page_that_may_have_killed_its_worker_is_tried_alone(ledger: Ledger) -> None:
    add_job(ledger, "a", "b")
    suspect, other = claim(ledger), claim(ledger, idle=False)
    assert ledger.give_back(suspect, alone=True)
    assert ledger.give_back(other)
    assert claim(ledger, idle=False).page.name == "b"
    assert ledger.claim(worker="w", idle=False) is None
    held = claim(ledger)
    assert (held.page.name, held.page.alone, held.page.crashes) == ("a", True, 0)


def test_a_page_that_killed_two_workers_alone_fails_and_the_job_goes_on(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", packs=False)
    assert ledger.give_back(claim(ledger), crashed=True)
    assert (ledger.page(job, 0).crashes, ledger.page(job, 0).alone) == (1, True)
    assert ledger.give_back(claim(ledger), crashed=True)
    page = ledger.page(job, 0)
    assert (page.state, page.crashes) == (PageState.FAILED, 2)
    assert page.failure is not None
    assert page.failure.code == "worker_died"
    assert page.failure.text("en").startswith("a: 2 worker processes died")
    assert types(ledger, job)[-1] == "page_failed"
    assert work(ledger) == ["b"]
    assert ledger.get(job).state is JobState.PARTIAL


def test_a_page_whose_render_somebody_computes_is_passed_over_meanwhile(ledger: Ledger) -> None:
    add_job(ledger, "a", "b", "c")
    waits = claim(ledger)
    assert ledger.await_key(waits, "k")
    assert claim(ledger, held_keys=["k", "l"]).page.name == "b"
    assert claim(ledger, held_keys=["l"]).page.name == "a"
    ledger.recover()
    assert claim(ledger, held_keys=["k"]).page.name == "a", "it waited for that once, not for ever"
