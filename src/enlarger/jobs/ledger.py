"""The ledger: every job, page and event, stored before it is acknowledged; the only queue there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

from sqlalchemy import RowMapping, delete, func, insert, or_, select

from enlarger.errors import FetchError, WeightsMissingError
from enlarger.jobs import claims, finding, page_lists
from enlarger.jobs.changes import Change
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import (
    Artifact,
    Claim,
    Event,
    Job,
    JobSource,
    JobState,
    NewPage,
    Page,
    PageResult,
    PageState,
    Priority,
    Submission,
)
from enlarger.jobs.ledger_file import LedgerFile, open_ledger_file
from enlarger.jobs.ledger_rows import (
    artifact_values,
    job_of,
    new_job_values,
    reason_values,
    request_sha256,
    source_values,
)
from enlarger.jobs.network_disks import Partitions, mounted
from enlarger.jobs.refusals import id_is_taken, illegal_move, key_was_used, queue_full, unknown_job, unknown_page
from enlarger.jobs.schema import CLAIMABLE, FINAL, UNFINISHED, is_claimable, is_unfinished, jobs
from enlarger.messages import Message, msg

_LACKING = (WeightsMissingError.code, FetchError.code)  # weights are looked for before a source is listed


def open_ledger(path: Path, *, clock: Callable[[], float] = time.time, partitions: Partitions = mounted) -> Ledger:
    """Open the ledger at `path`, made or brought to this version's form where need be.

    Raises LedgerError for a file that is broken, newer than this program or on a network file system, DiskFullError.
    """
    return Ledger(open_ledger_file(path, partitions), clock)


class Ledger:
    """Jobs, pages and events. Thread-safe. What a method that writes has returned is on the disk.

    Results that come too late (of a page claimed again, of a job cancelled meanwhile) change nothing and say so; what a
    person asks for and a job's state forbids raises IllegalMoveError. Any method may raise DiskFullError, LedgerError.
    """

    def __init__(self, file: LedgerFile, clock: Callable[[], float] = time.time) -> None:
        self.on_commit: list[Callable[[str], None]] = []  # told of each job that wrote an event, after the commit
        self._file = file
        self._clock = clock

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @contextmanager
    def _change(self) -> Iterator[Change]:
        with self._file.write() as connection:
            change = Change(connection, self._clock())
            yield change
        for job_id in change.told:
            for listener in tuple(self.on_commit):
                listener(job_id)

    # ---- accepted ----

    def submit(self, submission: Submission, *, most_waiting: int, pages: Sequence[NewPage] = ()) -> tuple[Job, bool]:
        """Accept a job, or find the one that the same owner's key named before; (job, whether it is new).

        With `pages` it is listed at once, in the same transaction.

        Raises IdempotencyError when the key came with another request, or the id is taken; QueueFullError when
        `most_waiting` jobs are unfinished already.
        """
        with self._change() as change:
            if known := self._repeated(change, submission):
                return job_of(known), False
            _require_place(change, most_waiting)
            job_id = submission.id or str(uuid4())
            if change.job(job_id) is not None:
                raise id_is_taken(job_id)
            change.connection.execute(insert(jobs), new_job_values(submission, job_id, change.now))
            row = change.record(job_id, "submitted", {}, {})
            return job_of(page_lists.store_list(change, job_id, pages) if pages else row), True

    def _repeated(self, change: Change, submission: Submission) -> RowMapping | None:
        key = submission.idempotency_key
        if key is None:
            return None
        row = change.one(select(jobs).where(jobs.c.owner == submission.owner, jobs.c.idempotency_key == key))
        if row is not None and row["request_sha256"] != request_sha256(submission):
            raise key_was_used(key)
        return row

    def add_pages(self, job_id: str, pages: Sequence[NewPage], *, retries: int | None = None) -> Job:
        """Store what a job's source holds; done pages that are listed again stay done.

        Changes nothing when the job was listed or ended meanwhile, or sent back to work since it had `retries`; nor
        when there are no pages: then it is for the caller to fail the job.
        """
        with self._change() as change:
            row = _known(change, job_id)
            late = row["listed"] or row["state"] not in UNFINISHED or retries not in (None, row["retries"])
            return job_of(row if late or not pages else page_lists.store_list(change, job_id, pages))

    def tell_fetching(self, job_ids: Collection[str], *, model: str, done_bytes: int, total_bytes: int) -> None:
        """An event for each of these jobs that waits for weights to be fetched before its source is listed."""
        facts = {"model": model, "bytes": done_bytes, "totalBytes": total_bytes}
        with self._change() as change:
            for job_id in job_ids:
                row = change.job(job_id)
                if row is not None and not row["listed"] and row["state"] in CLAIMABLE:
                    change.record(job_id, "fetching", facts, {})

    # ---- pages in workers' hands ----

    def claim(
        self,
        *,
        worker: str,
        idle: bool,
        above: Priority | None = None,
        held_keys: Collection[str] = (),
    ) -> Claim | None:
        """The next page for a worker, given to one caller only; None when nothing suits what `claims.Wish` says."""
        with self._change() as change:
            return claims.claim(change, worker, claims.Wish(idle, above, held_keys))

    def finish(self, claim: Claim, result: PageResult) -> bool:
        """The page's output is durable in its job's folder; False when the page is no longer this claim's."""
        with self._change() as change:
            return claims.finish(change, claim, result)

    def fail(self, claim: Claim, failure: Failure) -> bool:
        """The page cannot be enlarged; False when it is no longer this claim's."""
        with self._change() as change:
            return claims.fail(change, claim, failure)

    def give_back(self, claim: Claim, *, alone: bool = False, crashed: bool = False) -> bool:
        """The page waits again; False when it is no longer this claim's.

        alone: its worker died with others in hand, so it is tried by itself. crashed: its worker died with it alone;
        the second time it fails.
        """
        with self._change() as change:
            return claims.give_back(change, claim, alone=alone, crashed=crashed)

    def await_key(self, claim: Claim, key: str) -> bool:
        """The page waits for a render that somebody else computes; False when it is no longer this claim's."""
        with self._change() as change:
            return claims.await_key(change, claim, key)

    def recover(self) -> int:
        """Queue what was in the hands of workers that are no more, charging nothing; how many pages that were."""
        with self._change() as change:
            pages = page_lists.take_back_running(change)
            running = change.connection.scalars(
                select(jobs.c.id).where(is_unfinished(), jobs.c.state == JobState.RUNNING)
            ).all()
            for job_id in running:
                change.move(job_id, JobState.QUEUED, kind="recovered")
            return len(pages)

    # ---- what becomes of a job ----

    def fail_job(self, job_id: str, failure: Failure) -> Job:
        """End a job that cannot go on; one that ended meanwhile stays as it is."""
        with self._change() as change:
            row = _known(change, job_id)
            if row["state"] in FINAL:
                return job_of(row)
            cancelled = change.cancel_pages(job_id)
            return job_of(change.end(row, JobState.FAILED, failure, {"cancelled": jobs.c.cancelled + cancelled}))

    def packed(self, job_id: str, artifact: Artifact | None, *, retries: int | None = None) -> Job:
        """End a job whose artifact is durable; one that is no longer packing, or packs anew since `retries`, stays."""
        with self._change() as change:
            row = _known(change, job_id)
            if row["state"] != JobState.PACKING or retries not in (None, row["retries"]):
                return job_of(row)
            state = JobState.PARTIAL if row["failed"] else JobState.DONE
            facts = {} if artifact is None else {"artifact": asdict(artifact)}
            moved = change.move(job_id, state, facts=facts, values=artifact_values(artifact))
            assert moved is not None
            return job_of(moved)

    # ---- what people ask for ----

    def pause(self, job_id: str, reason: Failure | None = None) -> Job:
        """Give out no more pages of the job; those in hand may finish. Raises IllegalMoveError.

        With a `reason` it goes on by itself when that has passed, unless it is paused without one meanwhile.
        """
        facts = {} if reason is None else {"error": reason.as_json()}
        is_new = jobs.c.state != JobState.PAUSED
        changes = is_new if reason is not None else or_(is_new, jobs.c.reason_code.is_not(None))
        with self._change() as change:
            row = change.move(job_id, JobState.PAUSED, where=changes, facts=facts, values=reason_values(reason))
            return job_of(row or _refuse(change, job_id, msg("Only a job that has not ended can be paused.")))

    def resume(self, job_id: str, *, paused_for: str | None = None) -> Job:
        """Go on with a paused job, or only with one that is paused for the reason with this code. IllegalMoveError."""
        because = None if paused_for is None else jobs.c.reason_code == paused_for
        paused = [JobState.PAUSED]
        with self._change() as change:
            row = change.move(
                job_id, JobState.QUEUED, sources=paused, where=because, kind="resumed", values=reason_values(None)
            )
            return job_of(change.settle(row or _refuse(change, job_id, msg("Only a paused job can be resumed."))))

    def cancel(self, job_id: str) -> Job:
        """End a job: nothing of it waits or is in a worker's hands any more. Raises IllegalMoveError."""
        with self._change() as change:
            cancelled = jobs.c.cancelled + change.cancel_pages(job_id)
            row = change.move(job_id, JobState.CANCELLED, values={"cancelled": cancelled, **reason_values(None)})
            return job_of(row or _refuse(change, job_id, msg("Only a job that has not ended can be cancelled.")))

    def retry(self, job_id: str, source: JobSource | None = None, *, lost: Collection[str] = ()) -> Job:
        """Send an ended job's failed and cancelled pages back to work, and pack it anew. Raises IllegalMoveError.

        With another source it is listed again, and what is done and still there stays done. `lost`: names of done
        pages whose files are not there any more, so that they are made again too.
        """
        with self._change() as change:
            pages, lost_bytes = page_lists.make_again(change, job_id, lost)
            values = {
                "retries": jobs.c.retries + 1,
                "done": jobs.c.done - pages,
                "failed": 0,
                "cancelled": 0,
                "output_bytes": jobs.c.output_bytes - lost_bytes,
                **artifact_values(None),
                **reason_values(None),
                **({} if source is None else source_values(source)),
            }
            lacked = _known(change, job_id)["reason_code"] in _LACKING
            if source is not None or lacked or page_lists.has_unreadable(change, job_id):
                values["listed"] = False
            row = change.move(job_id, JobState.QUEUED, sources=FINAL, kind="retried", values=values)
            if row is None:
                _refuse(change, job_id, msg("Only a job that has ended can be tried again."))
            page_lists.send_back(change, job_id)
            return job_of(change.settle(row))

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """Serve an unfinished job earlier or later. Raises IllegalMoveError."""
        with self._change() as change:
            row = change.prioritise(job_id, priority, UNFINISHED)
            return job_of(row or _refuse(change, job_id, msg("Only a job that has not ended can change its priority.")))

    def delete(self, job_id: str) -> Job:
        """Forget an ended job, its pages and events; the job as it was. Raises IllegalMoveError."""
        with self._change() as change:
            gone = delete(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(FINAL)).returning(jobs)
            row = change.one(gone) or _refuse(change, job_id, msg("Cancel it first; then it can be deleted."))
            change.told[job_id] = None
            return job_of(row)

    # ---- reading ----

    def get(self, job_id: str) -> Job:
        """The job; raises UnknownJobError."""
        with self._file.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
        if row is None:
            raise unknown_job(job_id)
        return job_of(row)

    def find(
        self,
        *,
        states: Collection[JobState] = (),
        text: str = "",
        transient: bool = False,
        before: str = "",
        limit: int = 50,
    ) -> tuple[list[Job], str]:
        """Jobs, newest first: in one of `states`, with `text` in title or volume or as id, transient ones if asked for.

        The string is the cursor that, as `before`, gives the next page of the list; "" at its end. Raises InputError
        for a cursor that the ledger never gave.
        """
        with self._file.read() as connection:
            return finding.find(connection, states=states, text=text, transient=transient, before=before, limit=limit)

    def page(self, job_id: str, position: int) -> Page:
        """One page; raises UnknownJobError when there is no such job or page."""
        found = self.pages(job_id, after=position - 1, limit=1)
        if not found or found[0].position != position:
            raise unknown_page(job_id, position)
        return found[0]

    def pages(
        self, job_id: str, *, states: Collection[PageState] = (), after: int = -1, limit: int = 1000
    ) -> list[Page]:
        """Pages behind position `after`, in order; raises UnknownJobError."""
        with self._file.read() as connection:
            found = finding.pages_of(connection, job_id, states=states, after=after, limit=limit)
        if not found:
            self.get(job_id)  # an empty list is the truth only of a job that is there
        return found

    def events(self, job_id: str, after: int = 0, limit: int = 500) -> list[Event]:
        """Events behind number `after`, in order; raises UnknownJobError."""
        with self._file.read() as connection:
            found = finding.events_of(connection, job_id, after=after, limit=limit)
        if not found:
            self.get(job_id)  # an empty list is the truth only of a job that is there
        return found

    def unlisted(self) -> list[Job]:
        """Jobs whose source is to be listed, the most urgent first."""
        with self._file.read() as connection:
            return finding.jobs_by(connection, is_claimable(), jobs.c.listed.is_(False))

    def packable(self) -> list[Job]:
        """Jobs whose pages are all there and whose artifact is not, the most urgent first."""
        with self._file.read() as connection:
            return finding.jobs_by(connection, is_unfinished(), jobs.c.state == JobState.PACKING)

    def paused_for(self, code: str) -> list[Job]:
        """Jobs paused for a reason with this code, such as "disk_full", the most urgent first."""
        with self._file.read() as connection:
            return finding.jobs_by(
                connection, is_unfinished(), jobs.c.state == JobState.PAUSED, jobs.c.reason_code == code
            )

    def waits_alone(self) -> bool:
        """Whether a page waits for a worker that has nothing else in hand."""
        with self._file.read() as connection:
            return finding.waits_alone(connection)

    def totals(self) -> Mapping[JobState, int]:
        """Jobs by state."""
        with self._file.read() as connection:
            return finding.totals(connection)

    def expired(self, *, before: float = 0.0, beyond_bytes: int = 0, transient_before: float = 0.0) -> list[Job]:
        """Jobs that may be deleted, oldest end first.

        Ended before `before`, or if transient before `transient_before` (Unix seconds, 0: none); or beyond the
        `beyond_bytes` of outputs and artifacts that the newest ended jobs may keep (0: no limit).
        """
        with self._file.read() as connection:
            return finding.expired(
                connection, before=before, beyond_bytes=beyond_bytes, transient_before=transient_before
            )


def _known(change: Change, job_id: str) -> RowMapping:
    row = change.job(job_id)
    if row is None:
        raise unknown_job(job_id)
    return row


def _refuse(change: Change, job_id: str, remedy: Message) -> NoReturn:
    raise illegal_move(job_id, JobState(_known(change, job_id)["state"]), remedy)


def _require_place(change: Change, most_waiting: int) -> None:
    unfinished = select(func.count()).select_from(jobs).where(is_unfinished())
    waiting = change.connection.scalar(unfinished) or 0
    if waiting >= most_waiting:
        raise queue_full(waiting, most_waiting)
