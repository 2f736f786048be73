"""Pages on their way into a worker's hands and back: claimed once, and taken back only from who holds them.

A page that was claimed again, cancelled or listed anew is no longer its old worker's: statements name the attempt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, ScalarSelect, TextClause, bindparam, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from enlarger.jobs.changes import Change
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import Claim, JobState, PageResult, PageState, Priority
from enlarger.jobs.ledger_rows import job_of, page_of, result_values
from enlarger.jobs.moves import pages_that_may_become
from enlarger.jobs.refusals import worker_died
from enlarger.jobs.schema import is_claimable, jobs, pages

MOST_CRASHES = 2  # a page that killed so many workers all by itself is given up
_NOT_HELD = {"claimed_at": None, "worker": None}
_SERVE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(turn=select(func.max(jobs.c.turn) + 1).scalar_subquery())
    .returning(jobs)
)
_TAKE = (
    update(pages)
    .where(pages.c.id == bindparam("page"), pages.c.attempt == bindparam("try"), pages.c.state == PageState.RUNNING)
    .returning(pages)
)


@dataclass(frozen=True)
class Wish:
    """What a worker could do now.

    idle: it has nothing else in hand, so that pages to be tried alone may come. above: only more urgent jobs than this.
    held_keys: renders somebody computes already; pages that await one are passed over.
    """

    idle: bool
    above: Priority | None = None
    held_keys: Collection[str] = ()

    @property
    def values(self) -> dict[str, Any]:
        """What the wish narrows the choice by, as values for its statement."""
        values = {"above": self.above, "held": list(self.held_keys) or None}
        return {name: value for name, value in values.items() if value is not None}


def claim(change: Change, worker: str, wish: Wish) -> Claim | None:
    """The next page: of the most urgent jobs, whose turn it is; of that job, the first that waits."""
    wanted = wish.values
    statement = claim_statement(wish.idle, frozenset(wanted))
    page = change.one(statement, {"by": worker, "now": change.now, **wanted})
    return None if page is None else Claim(page_of(page), job_of(_serve(change, page["job_id"])))


@cache
def claim_statement(idle: bool, wanted: frozenset[str]) -> ReturningUpdate[Any]:
    """Built once for every kind of wish: building it takes longer than running it."""
    claimed = {"state": PageState.RUNNING, "attempt": pages.c.attempt + 1, "awaits_key": None}
    # compared with =, so that it is one value: PostgreSQL runs the query of an IN once for every row, and with rows
    # locked and skipped on the way each run finds another page
    return (
        update(pages)
        .where(pages.c.id == _next_page(idle, wanted), pages.c.state.in_(pages_that_may_become(PageState.RUNNING)))
        .values(worker=bindparam("by"), claimed_at=bindparam("now"), **claimed)
        .returning(pages)
    )


def _next_page(idle: bool, wanted: Collection[str]) -> ScalarSelect[Any]:
    conditions = _claimable(idle, wanted)
    first = select(pages.c.id).where(pages.c.job_id == _next_job(conditions, wanted), *conditions)
    locked = first.order_by(pages.c.position).limit(1).with_for_update(skip_locked=True)  # SQLite leaves this out
    return locked.scalar_subquery()


def _next_job(claimable: Collection[ColumnElement[bool]], wanted: Collection[str]) -> ScalarSelect[str]:
    has_page = select(pages.c.id).where(pages.c.job_id == jobs.c.id, *claimable).exists()
    conditions: list[ColumnElement[bool] | TextClause] = [is_claimable(), jobs.c.listed.is_(True), has_page]
    if "above" in wanted:
        conditions.append(jobs.c.priority > bindparam("above"))
    order = (jobs.c.priority.desc(), jobs.c.turn, jobs.c.seq)
    return select(jobs.c.id).where(*conditions).order_by(*order).limit(1).scalar_subquery()


def _claimable(idle: bool, wanted: Collection[str]) -> list[ColumnElement[bool]]:
    conditions = [pages.c.state == PageState.QUEUED]
    if not idle:
        conditions.append(pages.c.alone.is_(False))
    if "held" in wanted:
        free = pages.c.awaits_key.not_in(bindparam("held", expanding=True))
        conditions.append(or_(pages.c.awaits_key.is_(None), free))
    return conditions


def _serve(change: Change, job_id: str) -> RowMapping:
    """Put the job behind all others of its priority, and start it if it had not begun."""
    row = change.one(_SERVE, {"job": job_id})
    assert row is not None
    if row["state"] == JobState.RUNNING:
        return row
    moved = change.move(job_id, JobState.RUNNING, values={"started_at": func.coalesce(jobs.c.started_at, change.now)})
    assert moved is not None
    return moved


def finish(change: Change, held: Claim, result: PageResult) -> bool:
    """The page is done and its output durable; False when it is no longer this claim's."""
    row = _take(change, held, PageState.DONE, **result_values(result), failure=None)
    if row is None:
        return False
    told = {"output": result.output, "seconds": result.seconds, "bytes": result.bytes, "sha256": result.output_sha256}
    counted = {"done": jobs.c.done + 1, "output_bytes": jobs.c.output_bytes + result.bytes}
    change.settle(change.record(row["job_id"], "page_done", _names(row) | told, counted))
    return True


def fail(change: Change, held: Claim, failure: Failure) -> bool:
    """The page cannot be enlarged; False when it is no longer this claim's."""
    row = _take(change, held, PageState.FAILED, failure=failure.as_json())
    if row is not None:
        _count_failure(change, row, failure)
    return row is not None


def give_back(change: Change, held: Claim, *, alone: bool, crashed: bool) -> bool:
    """The page waits again. crashed: the worker died of nothing else, so it is tried alone, and in the end given up."""
    page = held.page
    if crashed and page.crashes + 1 >= MOST_CRASHES:
        failure = worker_died(page.name, MOST_CRASHES)
        row = _take(change, held, PageState.FAILED, failure=failure.as_json(), crashes=page.crashes + 1)
        if row is not None:
            _count_failure(change, row, failure)
        return row is not None
    marks = {"crashes": page.crashes + crashed, "alone": page.alone or alone or crashed}
    return _take(change, held, PageState.QUEUED, **marks) is not None


def await_key(change: Change, held: Claim, key: str) -> bool:
    """The page waits for a render that somebody else computes."""
    return _take(change, held, PageState.QUEUED, awaits_key=key) is not None


def _take(change: Change, held: Claim, to: PageState, **values: Any) -> RowMapping | None:
    """Move a page that is still in the claim's hands."""
    assert PageState.RUNNING in pages_that_may_become(to)
    mine = {"page": held.page.id, "try": held.page.attempt}
    return change.one(_TAKE, {**mine, "state": to, **_NOT_HELD, **values})


def _count_failure(change: Change, page: RowMapping, failure: Failure) -> None:
    told = _names(page) | {"error": failure.as_json()}
    change.settle(change.record(page["job_id"], "page_failed", told, {"failed": jobs.c.failed + 1}))


def _names(page: RowMapping) -> dict[str, Any]:
    return {"page": page["name"], "position": page["position"]}
