"""One transaction that changes jobs: a state, its counts and its numbered event become true together or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, RowMapping, Update, insert, select, update

from enlarger.jobs.failure import Failure
from enlarger.jobs.job import JobState, PageState, Priority
from enlarger.jobs.ledger_rows import reason_values
from enlarger.jobs.moves import jobs_that_may_become
from enlarger.jobs.refusals import not_one_succeeded
from enlarger.jobs.schema import CLAIMABLE, events, jobs, pages


class Change:
    """What is written in one transaction at the time `now`; `told` collects the jobs that wrote an event."""

    def __init__(self, connection: Connection, now: float) -> None:
        self.connection = connection
        self.now = now
        self.told: dict[str, None] = {}

    def job(self, job_id: str) -> RowMapping | None:
        """The job's row, as this transaction sees it."""
        return self.one(select(jobs).where(jobs.c.id == job_id))

    def one(self, statement: Executable, values: Mapping[str, Any] | None = None) -> RowMapping | None:
        """The first row that the statement gives."""
        return self.connection.execute(statement, values).mappings().first()

    def record(self, job_id: str, kind: str, facts: Mapping[str, Any], values: Mapping[str, Any]) -> RowMapping:
        """Set columns of a job and write the event that tells of it; the job must be there."""
        row = self._record(update(jobs).where(jobs.c.id == job_id), kind, facts, values)
        assert row is not None
        return row

    def move(
        self,
        job_id: str,
        to: JobState,
        *,
        sources: Collection[JobState] = tuple(JobState),
        where: ColumnElement[bool] | None = None,
        kind: str = "",
        facts: Mapping[str, Any] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> RowMapping | None:
        """Bring a job from one of `sources`, where that move is legal, to a state; None when it is elsewhere.

        `where` narrows it further.
        """
        legal = [state for state in jobs_that_may_become(to) if state in sources]
        statement = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(legal))
        if where is not None:
            statement = statement.where(where)
        state = {"state": to, "finished_at": self.now if to.is_final else None}
        return self._record(statement, kind or to.value, facts or {}, {**state, **(values or {})})

    def _record(
        self, statement: Update, kind: str, facts: Mapping[str, Any], values: Mapping[str, Any]
    ) -> RowMapping | None:
        number = {"last_event": jobs.c.last_event + 1, "updated_at": self.now}
        row = self.one(statement.values({**number, **values}).returning(jobs))
        if row is not None:
            self.write_event(row, kind, facts)
        return row

    def write_event(self, row: RowMapping, kind: str, facts: Mapping[str, Any]) -> None:
        """The event that has the row's newest number."""
        data = {name: row[name] for name in ("state", "total", "done", "failed", "cancelled")} | dict(facts)
        event = {"job_id": row["id"], "number": row["last_event"], "at": self.now, "type": kind, "data": data}
        self.connection.execute(insert(events), event)
        self.told[row["id"]] = None

    def settle(self, row: RowMapping) -> RowMapping:
        """Move a job on when none of its pages needs anything more."""
        settled = row["listed"] and row["total"] and row["done"] + row["failed"] == row["total"]
        if not settled or row["state"] not in CLAIMABLE:
            return row
        if not row["done"]:
            return self.end(row, JobState.FAILED, not_one_succeeded(row["total"], self._first_failure(row["id"])))
        if row["packs"]:
            return self.end(row, JobState.PACKING)
        return self.end(row, JobState.PARTIAL if row["failed"] else JobState.DONE)

    def end(
        self, row: RowMapping, to: JobState, reason: Failure | None = None, values: Mapping[str, Any] | None = None
    ) -> RowMapping:
        """Move a job of which is known that it may."""
        facts = {} if reason is None else {"error": reason.as_json()}
        moved = self.move(row["id"], to, facts=facts, values={**reason_values(reason), **(values or {})})
        assert moved is not None
        return moved

    def _first_failure(self, job_id: str) -> Failure:
        failed = select(pages.c.failure).where(pages.c.job_id == job_id, pages.c.state == PageState.FAILED)
        return Failure.from_json(self.connection.scalars(failed.order_by(pages.c.position).limit(1)).one())

    def cancel_pages(self, job_id: str) -> int:
        """Take the job's unfinished pages from the queue and from workers' hands; how many they were."""
        unfinished = pages.c.state.in_([PageState.QUEUED, PageState.RUNNING])
        statement = update(pages).where(pages.c.job_id == job_id, unfinished)
        return self.connection.execute(
            statement.values(state=PageState.CANCELLED, claimed_at=None, worker=None, awaits_key=None)
        ).rowcount

    def prioritise(self, job_id: str, priority: Priority, states: Collection[JobState]) -> RowMapping | None:
        """Set the priority of a job in one of `states`."""
        statement = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(states))
        return self._record(statement, "prioritised", {"priority": int(priority)}, {"priority": int(priority)})
