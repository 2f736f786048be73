"""What is read from the ledger: jobs by state and text, counts, and what may be deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Connection, TextClause, and_, func, or_, select

from enlarger.jobs.job import Event, Job, JobState, Page, PageState
from enlarger.jobs.ledger_rows import event_of, job_of, page_of
from enlarger.jobs.refusals import bad_cursor
from enlarger.jobs.schema import FINAL, events, is_claimable, jobs, pages


def find(
    connection: Connection,
    *,
    states: Collection[JobState],
    text: str,
    transient: bool,
    before: str,
    limit: int,
) -> tuple[list[Job], str]:
    """Jobs, newest first, and the cursor of the next page of the list."""
    query = select(jobs).order_by(jobs.c.seq.desc()).limit(limit + 1)
    if states:
        query = query.where(jobs.c.state.in_(states))
    if text:
        named = (column.icontains(text, autoescape=True) for column in (jobs.c.title, jobs.c.volume))
        query = query.where(or_(jobs.c.id == text, *named))
    if not transient:
        query = query.where(jobs.c.transient.is_(False))
    if before:
        query = query.where(jobs.c.seq < _seq(before))
    rows = connection.execute(query).mappings().all()
    more = len(rows) > limit > 0
    return [job_of(row) for row in rows[:limit]], str(rows[limit - 1]["seq"]) if more else ""


def _seq(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise bad_cursor(cursor)
    return int(cursor)


def jobs_by(connection: Connection, *conditions: ColumnElement[bool] | TextClause) -> list[Job]:
    """The jobs that meet the conditions, the most urgent first, then the oldest."""
    query = select(jobs).where(*conditions).order_by(jobs.c.priority.desc(), jobs.c.seq)
    return [job_of(row) for row in connection.execute(query).mappings()]


def pages_of(
    connection: Connection, job_id: str, *, states: Collection[PageState], after: int, limit: int
) -> list[Page]:
    """Pages of one job behind position `after`, in order."""
    query = select(pages).where(pages.c.job_id == job_id, pages.c.position > after)
    if states:
        query = query.where(pages.c.state.in_(states))
    return [page_of(row) for row in connection.execute(query.order_by(pages.c.position).limit(limit)).mappings()]


def events_of(connection: Connection, job_id: str, *, after: int, limit: int) -> list[Event]:
    """Events of one job behind number `after`, in order."""
    query = select(events).where(events.c.job_id == job_id, events.c.number > after)
    return [event_of(row) for row in connection.execute(query.order_by(events.c.number).limit(limit)).mappings()]


def waits_alone(connection: Connection) -> bool:
    """Whether a page that is to be tried by itself could be claimed now."""
    lonely = pages.join(jobs, pages.c.job_id == jobs.c.id)
    query = select(pages.c.id).select_from(lonely)
    alone = query.where(pages.c.state == PageState.QUEUED, pages.c.alone.is_(True), is_claimable())
    return connection.execute(alone.limit(1)).first() is not None


def totals(connection: Connection) -> Mapping[JobState, int]:
    """Jobs by state."""
    counted = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)).all()
    found = {JobState(state): count for state, count in counted}
    return {state: found.get(state, 0) for state in JobState}


def expired(connection: Connection, *, before: float, beyond_bytes: int, transient_before: float) -> list[Job]:
    """Finished jobs that may go, oldest first: too old, or beyond the total that is kept, counted from the newest."""
    size = jobs.c.output_bytes + func.coalesce(jobs.c.artifact_bytes, 0)
    newest_first = (jobs.c.finished_at.desc(), jobs.c.seq.desc())
    ended = (
        select(jobs, func.sum(size).over(order_by=newest_first).label("bytes_so_far"))
        .where(jobs.c.state.in_(FINAL))
        .subquery()
    )
    reasons = [
        ended.c.finished_at < before,
        and_(ended.c.transient.is_(True), ended.c.finished_at < transient_before),
    ]
    if beyond_bytes:
        reasons.append(ended.c.bytes_so_far > beyond_bytes)
    query = select(ended).where(or_(*reasons)).order_by(ended.c.finished_at, ended.c.seq)
    return [job_of(row) for row in connection.execute(query).mappings()]
