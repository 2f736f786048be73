"""Every move between two states, legal or not, is tried on stored jobs and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledger_making import ARTIFACT, BROKEN, add_job, job_in, new_ledger, result, work
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from enlarger.errors import IllegalMoveError
from enlarger.jobs import Claim, JobState, Page, PageState, Priority
from enlarger.jobs.changes import Change
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.ledger_file import LedgerFile, open_ledger_file
from enlarger.jobs.moves import JOB_MOVES, PAGE_MOVES, jobs_that_may_become, pages_that_may_become
from enlarger.jobs.schema import events, jobs, pages

_ENDED = [state for state in JobState if state.is_final]
_OPEN = [state for state in JobState if not state.is_final]
# what people ask for: the states it is good for, and where the job is afterwards
_COMMANDS: dict[str, tuple[Callable[[Ledger, str], object], list[JobState]]] = {
    "pause": (lambda ledger, job: ledger.pause(job), [JobState.QUEUED, JobState.RUNNING, JobState.PACKING]),
    "resume": (lambda ledger, job: ledger.resume(job), [JobState.PAUSED]),
    "cancel": (lambda ledger, job: ledger.cancel(job), _OPEN),
    "retry": (lambda ledger, job: ledger.retry(job), _ENDED),
    "prioritise": (lambda ledger, job: ledger.prioritise(job, Priority.AHEAD), _OPEN),
    "delete": (lambda ledger, job: ledger.delete(job), _ENDED),
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def file(tmp_path: Path, ledger: Ledger) -> Iterator[LedgerFile]:
    """The same ledger, seen by another process as it were."""
    file = open_ledger_file(tmp_path / "ledger.sqlite")
    yield file
    file.close()


@pytest.mark.parametrize("source", JobState)
def test_a_job_moves_only_where_it_may(ledger: Ledger, file: LedgerFile, source: JobState) -> None:
    for target in JobState:
        job = job_in(ledger, source)
        with file.write() as connection:
            change = Change(connection, 1.0)
            change.cancel_pages(job.id)
            rest = job.counts.total - job.counts.done - job.counts.failed
            moved = change.move(job.id, target, values={"cancelled": rest})
        assert (moved is not None) == (target in JOB_MOVES[source])
        assert ledger.get(job.id).state is (target if moved else source)
        assert ledger.get(job.id).last_event == job.last_event + (moved is not None)


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_command_is_obeyed_or_refused_by_the_jobs_state(ledger: Ledger, command: str) -> None:
    act, allowed = _COMMANDS[command]
    for state in JobState:
        job = job_in(ledger, state)
        if state in allowed:
            act(ledger, job.id)
        else:
            with pytest.raises(IllegalMoveError) as refusal:
                act(ledger, job.id)
            assert job.id in refusal.value.text("en")
            assert refusal.value.remedy is not None
            assert ledger.get(job.id) == job, "a refusal changes nothing"
        for left in ledger.find(states=_OPEN)[0]:  # so that the next job's pages are served first
            ledger.cancel(left.id)


@pytest.mark.parametrize("state", _ENDED)
def test_late_news_of_an_ended_job_changes_nothing(ledger: Ledger, state: JobState) -> None:
    job = job_in(ledger, state)
    assert ledger.fail_job(job.id, BROKEN) == job
    assert ledger.packed(job.id, ARTIFACT) == job
    assert ledger.add_pages(job.id, []) == job


@pytest.mark.parametrize("state", PageState)
@pytest.mark.parametrize("target", ["done", "failed", "queued"])
def test_only_a_page_in_hand_is_ended_or_given_back(ledger: Ledger, state: PageState, target: str) -> None:
    claim = _claim_whose_page_is(ledger, state)
    before = _page(ledger, claim)
    act = {"done": lambda: ledger.finish(claim, result("a")), "failed": lambda: ledger.fail(claim, BROKEN)}
    moved = act.get(target, lambda: ledger.give_back(claim))()
    assert moved == (state is PageState.RUNNING)
    assert _page(ledger, claim).state == (target if moved else before.state)
    if moved:
        assert target in PAGE_MOVES[state]
    else:
        assert _page(ledger, claim) == before


def _claim_whose_page_is(ledger: Ledger, state: PageState) -> Claim:
    add_job(ledger, "a", "b")
    claim = ledger.claim(worker="w", idle=True)
    assert claim is not None
    steps: dict[PageState, Callable[[], object]] = {
        PageState.RUNNING: lambda: None,
        PageState.QUEUED: lambda: ledger.give_back(claim),
        PageState.DONE: lambda: ledger.finish(claim, result("a")),
        PageState.FAILED: lambda: ledger.fail(claim, BROKEN),
        PageState.CANCELLED: lambda: ledger.cancel(claim.job.id),
    }
    steps[state]()
    return claim


def _page(ledger: Ledger, claim: Claim) -> Page:
    return ledger.page(claim.job.id, claim.page.position)


def test_only_waiting_pages_are_claimed(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", "c", "d")
    work(ledger, 2, fails=("b",))
    assert work(ledger) == ["c", "d"]
    assert ledger.claim(worker="w", idle=True) is None
    ledger.delete(ledger.packed(job, None).id)


def test_who_may_become_what_is_the_same_table_read_backwards() -> None:
    assert all((s in jobs_that_may_become(t)) == (t in JOB_MOVES[s]) for s in JobState for t in JobState)
    assert all((s in pages_that_may_become(t)) == (t in PAGE_MOVES[s]) for s in PageState for t in PageState)
    assert all(not JOB_MOVES[state] - {JobState.QUEUED} for state in _ENDED)


# ---- what the database itself refuses, whoever writes ----


@pytest.mark.parametrize(
    "values",
    [
        {"state": "sleeping"},
        {"state": "done"},  # ended, and no time of it
        {"finished_at": 5.0},  # a time, and not ended
        {"done": 4},
        {"failed": -1},
        {"state": "cancelled", "finished_at": 5.0},  # ended with pages that wait
        {"reason_code": "disk_full"},
        {"total": None},
    ],
    ids=str,
)
def test_an_impossible_job_cannot_be_stored(ledger: Ledger, file: LedgerFile, values: dict[str, object]) -> None:
    job = job_in(ledger, JobState.RUNNING)
    with pytest.raises(IntegrityError), file.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))
    assert ledger.get(job.id) == job


@pytest.mark.parametrize(
    "values",
    [{"state": "asleep"}, {"state": "done"}, {"state": "failed"}, {"state": "running"}, {"name": "b"}, {"position": 1}],
    ids=str,
)
def test_an_impossible_page_cannot_be_stored(ledger: Ledger, file: LedgerFile, values: dict[str, object]) -> None:
    job = add_job(ledger, "a", "b")
    with pytest.raises(IntegrityError), file.write() as connection:
        connection.execute(update(pages).where(pages.c.job_id == job, pages.c.position == 0).values(values))


def test_an_event_has_a_job_and_a_number_of_its_own(ledger: Ledger, file: LedgerFile) -> None:
    job = add_job(ledger)
    for name, number in ((job, 1), ("nobody", 2)):
        event = {"job_id": name, "number": number, "at": 1.0, "type": "x", "data": {}}
        with pytest.raises(IntegrityError), file.write() as connection:
            connection.execute(insert(events), event)
    with file.read() as connection:
        assert connection.execute(select(events.c.number)).scalars().all() == [1]
