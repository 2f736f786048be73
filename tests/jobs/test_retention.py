"""Retention: what expired goes, what cannot go keeps no other, and nothing goes unless it was set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from job_making import server_settings, volume

from enlarger.errors import StorageError
from enlarger.jobs import Failure, NewPage
from enlarger.jobs.ledger import Ledger, open_ledger
from enlarger.jobs.retention import delete_expired
from enlarger.messages import msg

_DAY_S = 86400.0


class History:
    """A ledger whose jobs ended when the test says so."""

    def __init__(self, root: Path) -> None:
        self.now = 0.0
        self.root = root
        self.ledger: Ledger = open_ledger(root / "ledger.sqlite", clock=lambda: self.now)
        self.deleted: list[str] = []

    def ended(self, at: float, *, transient: bool = False) -> str:
        self.now = at
        job, _ = self.ledger.submit(volume(self.root, transient=transient), most_waiting=1000)
        self.ledger.add_pages(job.id, [NewPage("01.png", {})])
        self.ledger.fail_job(job.id, Failure("x", msg("x")))
        return job.id

    def sweep(self, at: float, **changes: Any) -> int:
        settings = server_settings(self.root, **changes)
        return delete_expired(self.ledger, settings, self.deleted.append, clock=lambda: at)


def test_old_jobs_go_when_it_is_set(tmp_path: Path) -> None:
    history = History(tmp_path)
    old, _ = history.ended(0.0), history.ended(5 * _DAY_S)
    assert history.sweep(8 * _DAY_S) == 0
    assert history.sweep(8 * _DAY_S, keep_jobs_days=7) == 1
    assert history.deleted == [old]
    history.ledger.close()


def test_transient_jobs_go_after_an_hour(tmp_path: Path) -> None:
    history = History(tmp_path)
    fleeting = history.ended(1000.0, transient=True)
    history.ended(1000.0)
    assert history.sweep(4599.0) == 0
    assert history.sweep(4601.0) == 1
    assert history.deleted == [fleeting]
    history.ledger.close()


def test_one_that_cannot_go_keeps_no_other(tmp_path: Path) -> None:
    history = History(tmp_path)
    stuck, free = history.ended(0.0), history.ended(1.0)

    def delete(job_id: str) -> None:
        if job_id == stuck:
            raise StorageError(msg("in use"))
        history.deleted.append(job_id)

    settings = server_settings(tmp_path, keep_jobs_days=1)
    assert delete_expired(history.ledger, settings, delete, clock=lambda: 9 * _DAY_S) == 1
    assert history.deleted == [free]
    history.ledger.close()
