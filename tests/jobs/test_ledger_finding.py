"""What is found in the ledger, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_making import add_job, job_in, new_ledger, work

from enlarger.errors import InputError, UnknownJobError
from enlarger.jobs import Job, JobState
from enlarger.jobs.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


def titles(jobs: list[Job]) -> list[str]:
    return [job.submission.title for job in jobs]


# ---- finding ----


def test_jobs_are_found_newest_first_page_by_page(ledger: Ledger) -> None:
    for n in range(7):
        add_job(ledger, title=f"job {n}")
    first, cursor = ledger.find(limit=3)
    add_job(ledger, title="job 7")
    second, cursor = ledger.find(limit=3, before=cursor)
    last, end = ledger.find(limit=3, before=cursor)
    assert titles(first) == ["job 6", "job 5", "job 4"]
    assert titles(second) == ["job 3", "job 2", "job 1"]
    assert titles(last) == ["job 0"]
    assert end == ""
    assert ledger.find(limit=8)[1] == ""
    assert ledger.find(limit=7)[1] != ""


def test_jobs_are_found_by_state_and_words(ledger: Ledger) -> None:
    add_job(ledger, title="Blame!", volume="100%_")
    add_job(ledger, title="棋魂", volume="blame it")
    other = add_job(ledger, title="Other", volume="1005")
    add_job(ledger, title="hidden", transient=True)
    ledger.cancel(other)
    assert titles(ledger.find(text="BLAME")[0]) == ["棋魂", "Blame!"]
    assert titles(ledger.find(text="魂")[0]) == ["棋魂"]
    assert titles(ledger.find(text="0%_")[0]) == ["Blame!"], "these are letters, no wildcards"
    assert titles(ledger.find(text=other)[0]) == ["Other"]
    assert titles(ledger.find(states=[JobState.CANCELLED, JobState.FAILED])[0]) == ["Other"]
    assert titles(ledger.find(transient=True)[0])[0] == "hidden"
    assert "hidden" not in titles(ledger.find()[0])


@pytest.mark.parametrize("cursor", ["x", "-1", "1 OR 1", "٣", "9" * 30])
def test_a_cursor_that_was_never_given_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InputError):
        ledger.find(before=cursor)


def test_what_is_not_there_is_an_error_not_an_empty_list(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    assert ledger.pages(job, after=5) == []
    assert ledger.events(job, after=5) == []
    for ask in (ledger.get, ledger.pages, ledger.events, ledger.cancel, ledger.delete, ledger.pause, ledger.retry):
        with pytest.raises(UnknownJobError):
            ask("nobody")  # type: ignore[operator]
    for position in (1, -1):
        with pytest.raises(UnknownJobError):
            ledger.page(job, position)


def test_events_are_read_from_any_number_on(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b")
    work(ledger)
    assert [event.number for event in ledger.events(job, after=2, limit=2)] == [3, 4]
    done = ledger.events(job, after=3)[0]
    assert done.data | {"seconds": 0.5, "bytes": 100, "sha256": "bb" * 32, "output": "a.png"} == done.data
    assert (done.type, done.data["page"], done.data["position"], done.data["done"]) == ("page_done", "a", 0, 1)


# ---- forgetting ----


def test_a_deleted_job_leaves_nothing(ledger: Ledger) -> None:
    job = job_in(ledger, JobState.DONE)
    assert ledger.delete(job.id) == job
    assert ledger.find(transient=True) == ([], "")
    with pytest.raises(UnknownJobError):
        ledger.events(job.id)


def test_old_jobs_expire_oldest_first(ledger: Ledger) -> None:
    jobs = [job_in(ledger, JobState.DONE) for _ in range(3)]
    add_job(ledger, "a")
    ends = [job.finished_at or 0.0 for job in jobs]
    assert [job.id for job in ledger.expired(before=ends[2])] == [jobs[0].id, jobs[1].id]
    assert ledger.expired(before=ends[0]) == []
    assert ledger.expired() == []


def test_what_is_beyond_the_total_expires_but_the_newest_stay(ledger: Ledger) -> None:
    jobs = []
    for size in (10, 20, 30):
        jobs.append(add_job(ledger, "a", packs=False))
        work(ledger, size=size)
    unfinished = add_job(ledger, "a", "b", packs=False)
    work(ledger, 1, size=1000)
    assert ledger.get(unfinished).state is JobState.RUNNING
    assert ledger.expired(beyond_bytes=60) == []
    assert [job.id for job in ledger.expired(beyond_bytes=59)] == jobs[:1]
    assert [job.id for job in ledger.expired(beyond_bytes=49)] == jobs[:2]
    assert [job.id for job in ledger.expired(beyond_bytes=1)] == jobs


def test_transient_jobs_expire_sooner(ledger: Ledger) -> None:
    transient = add_job(ledger, "a", packs=False, transient=True)
    work(ledger)
    kept = job_in(ledger, JobState.DONE)
    assert kept.finished_at is not None
    assert [job.id for job in ledger.expired(transient_before=kept.finished_at + 1)] == [transient]
