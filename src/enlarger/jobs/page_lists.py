"""The pages of a job, stored when its source has been listed, and sent back to work when it is tried again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update

from enlarger.jobs.changes import Change
from enlarger.jobs.job import NewPage, PageState
from enlarger.jobs.ledger_rows import NO_RESULT, new_page_values
from enlarger.jobs.moves import pages_that_may_become
from enlarger.jobs.schema import pages


def store_list(change: Change, job_id: str, listed: Sequence[NewPage]) -> RowMapping:
    """Make the job's pages those that were listed; what is done and still there stays done."""
    kept = _keep_done(change, job_id, listed)
    rows = [new_page_values(job_id, n, page) for n, page in enumerate(listed) if page.name not in kept]
    if rows:
        change.connection.execute(insert(pages), rows)
    failed = sum(page.failure is not None for page in listed)
    counts = {"total": len(listed), "done": len(kept), "failed": failed, "cancelled": 0}
    output_bytes = sum(row["bytes"] for row in kept.values())
    values = {"listed": True, "output_bytes": output_bytes, **counts}
    return change.settle(change.record(job_id, "listed", {}, values))


def _keep_done(change: Change, job_id: str, listed: Sequence[NewPage]) -> Mapping[str, RowMapping]:
    """Drop the pages of the list before, but for the done ones that are listed again; these by name."""
    done = select(pages).where(pages.c.job_id == job_id, pages.c.state == PageState.DONE)
    known = {row["name"]: row for row in change.connection.execute(done).mappings()}
    again = {page.name: (n, page) for n, page in enumerate(listed) if page.name in known and _same(page, known)}
    kept = [known[name]["id"] for name in again]
    dropped = delete(pages).where(pages.c.job_id == job_id)
    if not kept:
        change.connection.execute(dropped)
        return {}
    aside = update(pages).where(pages.c.job_id == job_id).values(position=-1 - pages.c.position)  # positions are unique
    change.connection.execute(aside)
    place = (
        update(pages).where(pages.c.id == bindparam("page")).values(position=bindparam("at"), targets=bindparam("to"))
    )
    change.connection.execute(
        place, [{"page": known[name]["id"], "at": n, "to": dict(page.targets)} for name, (n, page) in again.items()]
    )
    change.connection.execute(dropped.where(pages.c.position < 0))
    return {name: known[name] for name in again}


def _same(page: NewPage, known: Mapping[str, RowMapping]) -> bool:
    # another list may call the output differently; then it is made anew, from the cache
    return page.failure is None and known[page.name]["output"] in page.targets.values()


def send_back(change: Change, job_id: str) -> None:
    """Queue the job's failed and cancelled pages again, as if they had never been tried."""
    again = [PageState.FAILED, PageState.CANCELLED]
    assert set(again) < set(pages_that_may_become(PageState.QUEUED))
    statement = update(pages).where(pages.c.job_id == job_id, pages.c.state.in_(again))
    values: dict[str, Any] = {"failure": None, "crashes": 0, "alone": False, "awaits_key": None}
    change.connection.execute(statement.values(state=PageState.QUEUED, **values))


def make_again(change: Change, job_id: str, names: Collection[str]) -> tuple[int, int]:
    """Queue finished pages whose files were lost; how many they are, and the bytes they had."""
    assert PageState.DONE in pages_that_may_become(PageState.QUEUED)
    if not names:
        return 0, 0
    mine = (pages.c.job_id == job_id, pages.c.state == PageState.DONE, pages.c.name.in_(names))
    sizes = change.connection.scalars(select(pages.c.bytes).where(*mine)).all()
    change.connection.execute(update(pages).where(*mine).values(state=PageState.QUEUED, **NO_RESULT))
    return len(sizes), sum(sizes)


def has_unreadable(change: Change, job_id: str) -> bool:
    """Whether a page failed already when it was listed, so that only a new list can bring it back."""
    failed = select(pages.c.targets).where(pages.c.job_id == job_id, pages.c.state == PageState.FAILED)
    return not all(change.connection.scalars(failed))


def take_back_running(change: Change) -> list[str]:
    """Queue every page that is in a worker's hands, of a server that is no more; the jobs they belong to."""
    assert PageState.RUNNING in pages_that_may_become(PageState.QUEUED)
    statement = update(pages).where(pages.c.state == PageState.RUNNING)
    freed = statement.values(state=PageState.QUEUED, claimed_at=None, worker=None).returning(pages.c.job_id)
    return list(change.connection.scalars(freed))
