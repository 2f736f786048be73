"""Random lives of jobs: after every step the ledger and its plain twin agree, and nothing impossible is stored."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_making import ARTIFACT, BROKEN, memory_disk, new_ledger, new_pages, result, submission
from plain_ledger import FINAL, PlainClaim, PlainJob, PlainLedger

from enlarger.errors import IllegalMoveError
from enlarger.jobs import Claim, Job, JobSource, JobState, Page, Priority

_KEYS = ["k1", "k2"]
_NAMES = st.lists(st.sampled_from("abc"), unique=True)
_PRIORITIES = st.sampled_from([Priority.READING, Priority.VOLUME, Priority.INDEXING])
_ABOVE = st.sampled_from([None, None, None, Priority.VOLUME])
_WHICH = st.integers(0, 5)
_MOST_JOBS = 3
_STANDING = ("state", "total", "done", "failed", "cancelled")


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=memory_disk()))
        self.ledger = new_ledger(self.folder)
        self.plain = PlainLedger()
        self.claims: list[tuple[Claim, PlainClaim]] = []  # kept after their use: then they come too late
        self.told: list[str] = []
        self.ledger.on_commit.append(self.told.append)

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def job(self, which: int) -> str:
        return list(self.plain.jobs)[which % len(self.plain.jobs)]

    def pair(self, which: int) -> tuple[Claim, PlainClaim]:
        return self.claims[-1 - which % len(self.claims)]

    has_jobs = precondition(lambda self: self.plain.jobs)
    has_claims = precondition(lambda self: self.claims)

    @initialize(packs=st.booleans())
    def begin(self, packs: bool) -> None:
        for _ in range(2):
            self.submit(Priority.VOLUME, packs, ["a", "b", "c"])

    @precondition(lambda self: len(self.plain.jobs) < _MOST_JOBS)
    @rule(priority=_PRIORITIES, packs=st.booleans(), names=_NAMES)
    def submit(self, priority: Priority, packs: bool, names: list[str]) -> None:
        job, _ = self.ledger.submit(submission(priority=priority, packs=packs), most_waiting=99)
        self.plain.submit(job.id, priority, packs)
        self._list(job.id, names)

    @has_jobs
    @rule(which=_WHICH, names=_NAMES)
    def list_source(self, which: int, names: list[str]) -> None:
        unlisted = [job_id for job_id, job in self.plain.jobs.items() if not job.listed]
        self._list(unlisted[0] if unlisted else self.job(which), names)

    def _list(self, job: str, names: list[str]) -> None:
        self.ledger.add_pages(job, new_pages(*names))
        self.plain.add_pages(job, names)

    # ---- pages ----

    @has_jobs
    @rule(idle=st.booleans(), above=_ABOVE, held=st.sets(st.sampled_from(_KEYS)))
    def claim(self, idle: bool, above: Priority | None, held: set[str]) -> None:
        self._claim(idle, above, held)

    def _claim(self, idle: bool = True, above: Priority | None = None, held: Collection[str] = ()) -> bool:
        claim = self.ledger.claim(worker="w", idle=idle, above=above, held_keys=held)
        plain = self.plain.claim(idle, above, set(held))
        if claim is None or plain is None:
            assert claim is plain
            return False
        found = self.plain.held(plain)
        assert found is not None
        assert (claim.job.id, claim.page.name, claim.page.attempt) == (plain.job_id, found[1].name, plain.attempt)
        assert claim.job.state == "running"
        self.claims.append((claim, plain))
        return True

    @has_claims
    @rule(which=_WHICH)
    def finish(self, which: int) -> None:
        claim, plain = self.pair(which)
        assert self.ledger.finish(claim, result(claim.page.name)) == self.plain.end_page(plain, "done")

    @has_claims
    @rule(which=_WHICH)
    def fail(self, which: int) -> None:
        claim, plain = self.pair(which)
        assert self.ledger.fail(claim, BROKEN) == self.plain.end_page(plain, "failed")

    @has_claims
    @rule(which=_WHICH, alone=st.booleans(), crashed=st.booleans())
    def give_back(self, which: int, alone: bool, crashed: bool) -> None:
        claim, plain = self.pair(which)
        given = self.ledger.give_back(claim, alone=alone, crashed=crashed)
        assert given == self.plain.give_back(plain, alone, crashed)

    @has_claims
    @rule(which=_WHICH, key=st.sampled_from(_KEYS))
    def await_key(self, which: int, key: str) -> None:
        claim, plain = self.pair(which)
        assert self.ledger.await_key(claim, key) == self.plain.await_key(plain, key)

    @has_jobs
    @rule(failing=st.lists(st.booleans(), min_size=1, max_size=6))
    def work(self, failing: list[bool]) -> None:
        for fails in failing:
            if self._claim():
                (self.fail if fails else self.finish)(0)

    @has_jobs
    @rule(key=st.sampled_from(["", *_KEYS]))
    def lose(self, key: str) -> None:
        if self._claim():
            self.await_key(0, key) if key else self.give_back(0, False, False)
        if self._claim():
            self.finish(1)  # by who had it before, if it is the same page

    @has_jobs
    @rule()
    def crash_twice(self) -> None:
        for _ in range(2):
            if self._claim():
                self.give_back(0, False, True)

    # ---- jobs ----

    def both(self, real: Callable[[], object], plain: Callable[[], object]) -> None:
        try:
            plain()
        except KeyError:
            with pytest.raises(IllegalMoveError):
                real()
        else:
            real()

    @has_jobs
    @rule(which=_WHICH)
    def pause(self, which: int) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.pause(job), lambda: self.plain.pause(job))

    @has_jobs
    @rule(which=_WHICH)
    def resume(self, which: int) -> None:
        paused = [job_id for job_id, job in self.plain.jobs.items() if job.state == "paused"]
        job = paused[0] if paused else self.job(which)
        self.both(lambda: self.ledger.resume(job), lambda: self.plain.resume(job))

    @has_jobs
    @rule(which=_WHICH)
    def cancel(self, which: int) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.cancel(job), lambda: self.plain.cancel(job))

    @has_jobs
    @rule(which=_WHICH)
    def fail_job(self, which: int) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.fail_job(job, BROKEN), lambda: self.plain.fail_job(job))

    @has_jobs
    @rule(which=_WHICH, other=st.booleans(), lost=_NAMES)
    def retry(self, which: int, other: bool, lost: list[str]) -> None:
        ended = [job_id for job_id, job in self.plain.jobs.items() if job.state in FINAL]
        job = ended[which % len(ended)] if ended else self.job(which)
        source = JobSource("folder", Path("/books/two")) if other else None
        self.both(lambda: self.ledger.retry(job, source, lost=lost), lambda: self.plain.retry(job, other, lost))

    @has_jobs
    @rule(which=_WHICH)
    def packed(self, which: int) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.packed(job, ARTIFACT), lambda: self.plain.packed(job))

    @has_jobs
    @rule(which=_WHICH, priority=_PRIORITIES)
    def prioritise(self, which: int, priority: Priority) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.prioritise(job, priority), lambda: self.plain.prioritise(job, priority))

    @has_jobs
    @rule(which=_WHICH)
    def delete(self, which: int) -> None:
        job = self.job(which)
        self.both(lambda: self.ledger.delete(job), lambda: self.plain.delete(job))

    @rule()
    def restart(self) -> None:
        self.ledger.recover()
        self.plain.recover()

    # ---- after every step ----

    @invariant()
    def they_agree(self) -> None:
        stored = {job.id: job for job in self.ledger.find(limit=1000)[0]}
        assert stored.keys() == self.plain.jobs.keys()
        for job_id, plain in self.plain.jobs.items():
            job, pages = stored[job_id], self.ledger.pages(job_id)
            assert (job.state, job.listed, job.retries) == (plain.state, plain.listed, plain.retries)
            assert [(p.name, p.state, p.crashes, p.alone) for p in pages] == [
                (p.name, p.state, p.crashes, p.alone) for p in plain.pages
            ]
            self._counts_are_the_rows(job, pages)
            self._events_tell_of_all(job, plain)

    def _counts_are_the_rows(self, job: Job, pages: list[Page]) -> None:
        counted = [sum(page.state == state for page in pages) for state in ("done", "failed", "cancelled")]
        assert [job.counts.done, job.counts.failed, job.counts.cancelled] == counted
        assert [page.position for page in pages] == list(range(job.counts.total))
        assert (job.finished_at is not None) == (job.state in FINAL)
        assert job.state not in FINAL or sum(counted) == len(pages)

    def _events_tell_of_all(self, job: Job, plain: PlainJob) -> None:
        events = self.ledger.events(job.id)
        assert [event.number for event in events] == list(range(1, job.last_event + 1))
        assert [event.type for event in events] == plain.events
        assert {name: events[-1].data[name] for name in _STANDING} == {"state": job.state, **asdict(job.counts)}
        assert job.id in self.told

    @invariant()
    def sums_are_right(self) -> None:
        jobs = self.plain.jobs.values()
        assert self.ledger.totals() == {state: sum(job.state == state for job in jobs) for state in JobState}


LedgerMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLedger = LedgerMachine.TestCase
