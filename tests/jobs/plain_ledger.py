"""What the ledger promises, as plain Python without SQL: the twin that it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field

FINAL = ("done", "partial", "failed", "cancelled")


@dataclass
class PlainPage:
    name: str
    state: str = "queued"
    attempt: int = 0
    crashes: int = 0
    alone: bool = False
    awaits: str = ""
    uid: int = 0


@dataclass
class PlainJob:
    seq: int
    priority: int
    packs: bool
    state: str = "queued"
    turn: int = 0
    listed: bool = False
    retries: int = 0
    pages: list[PlainPage] = field(default_factory=list)
    total: int = 0
    events: list[str] = field(default_factory=lambda: ["submitted"])

    def count(self, *states: str) -> int:
        return sum(page.state in states for page in self.pages)

    def become(self, state: str, event: str = "") -> None:
        self.state = state
        self.events.append(event or state)

    def settle(self) -> None:
        if self.state not in ("queued", "running") or not self.listed or not self.pages:
            return
        if self.count("done", "failed") == len(self.pages):
            self.become(self._end())

    def _end(self) -> str:
        if not self.count("done"):
            return "failed"
        if self.packs:
            return "packing"
        return "partial" if self.count("failed") else "done"


@dataclass
class PlainClaim:
    job_id: str
    uid: int
    attempt: int


class PlainLedger:
    """Answers are what the ledger answers: False and None for "too late", KeyError for a move that is refused."""

    def __init__(self) -> None:
        self.jobs: dict[str, PlainJob] = {}
        self._seq = self._uid = 0

    def submit(self, job_id: str, priority: int, packs: bool) -> None:
        self._seq += 1
        self.jobs[job_id] = PlainJob(self._seq, priority, packs)

    def add_pages(self, job_id: str, names: list[str]) -> None:
        job = self.jobs[job_id]
        if job.listed or job.state in FINAL or not names:
            return
        done = {page.name: page for page in job.pages if page.state == "done"}
        job.pages = [done.get(name) or self._new_page(name) for name in names]
        job.listed = True
        job.events.append("listed")
        job.settle()

    def _new_page(self, name: str) -> PlainPage:
        self._uid += 1
        return PlainPage(name, uid=self._uid)

    # ---- pages ----

    def claim(self, idle: bool, above: int | None, held: set[str]) -> PlainClaim | None:
        def suits(page: PlainPage) -> bool:
            return page.state == "queued" and (idle or not page.alone) and page.awaits not in (held - {""})

        able = [
            (-job.priority, job.turn, job.seq, job_id)
            for job_id, job in self.jobs.items()
            if job.state in ("queued", "running") and job.listed and any(map(suits, job.pages))
            if above is None or job.priority > above
        ]
        if not able:
            return None
        job_id = min(able)[-1]
        job = self.jobs[job_id]
        job.turn = max(other.turn for other in self.jobs.values()) + 1
        if job.state == "queued":
            job.become("running")
        page = next(filter(suits, job.pages))
        page.state, page.attempt, page.awaits = "running", page.attempt + 1, ""
        return PlainClaim(job_id, page.uid, page.attempt)

    def held(self, claim: PlainClaim) -> tuple[PlainJob, PlainPage] | None:
        job = self.jobs.get(claim.job_id)
        for page in job.pages if job else []:
            if (page.uid, page.attempt, page.state) == (claim.uid, claim.attempt, "running"):
                return job, page  # type: ignore[return-value]
        return None

    def end_page(self, claim: PlainClaim, state: str) -> bool:
        if (found := self.held(claim)) is None:
            return False
        job, page = found
        page.state = state
        job.events.append(f"page_{state}")
        job.settle()
        return True

    def give_back(self, claim: PlainClaim, alone: bool, crashed: bool) -> bool:
        if (found := self.held(claim)) is None:
            return False
        page = found[1]
        page.crashes += crashed
        if page.crashes == 2:
            return self.end_page(claim, "failed")
        page.state, page.alone = "queued", page.alone or alone or crashed
        return True

    def await_key(self, claim: PlainClaim, key: str) -> bool:
        if (found := self.held(claim)) is None:
            return False
        found[1].state, found[1].awaits = "queued", key
        return True

    # ---- jobs ----

    def _require(self, job_id: str, *states: str) -> PlainJob:
        job = self.jobs[job_id]
        if job.state not in states:
            raise KeyError(job.state)
        return job

    def pause(self, job_id: str) -> None:
        self._require(job_id, "queued", "running", "packing").become("paused")

    def resume(self, job_id: str) -> None:
        job = self._require(job_id, "paused")
        job.become("queued", "resumed")
        job.settle()

    def cancel(self, job_id: str) -> None:
        job = self._require(job_id, "queued", "running", "paused", "packing")
        self._cancel_pages(job)
        job.become("cancelled")

    def fail_job(self, job_id: str) -> None:
        job = self.jobs[job_id]
        if job.state not in FINAL:
            self._cancel_pages(job)
            job.become("failed")

    def _cancel_pages(self, job: PlainJob) -> None:
        for page in job.pages:
            if page.state in ("queued", "running"):
                page.state, page.awaits = "cancelled", ""

    def retry(self, job_id: str, other_source: bool, lost: list[str]) -> None:
        job = self._require(job_id, *FINAL)
        for page in job.pages:
            if page.state == "done" and page.name in lost:
                page.state = "queued"
            if page.state in ("failed", "cancelled"):
                page.state, page.crashes, page.alone = "queued", 0, False
        job.retries += 1
        job.listed = job.listed and not other_source
        job.become("queued", "retried")
        job.settle()

    def packed(self, job_id: str) -> None:
        job = self.jobs[job_id]
        if job.state == "packing":
            job.become("partial" if job.count("failed") else "done")

    def prioritise(self, job_id: str, priority: int) -> None:
        job = self._require(job_id, "queued", "running", "paused", "packing")
        job.priority = priority
        job.events.append("prioritised")

    def delete(self, job_id: str) -> None:
        self._require(job_id, *FINAL)
        del self.jobs[job_id]

    def recover(self) -> None:
        for job in self.jobs.values():
            for page in job.pages:
                if page.state == "running":
                    page.state = "queued"
            if job.state == "running":
                job.become("queued", "recovered")
