"""A ledger that an older version made: nothing of it is lost when this one opens it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from ledger_making import BROKEN, RECIPE, add_job, new_ledger, submission, types, work
from sqlalchemy import create_engine

from enlarger.errors import IdempotencyError
from enlarger.jobs import JobState
from enlarger.jobs.ledger import Ledger, open_ledger
from enlarger.jobs.migrations import _config

_LATER = {"0001": ("only_pages",)}  # columns of `jobs` that came after a revision


def first_ledger(folder: Path) -> Path:
    """What the first version would have left: a job with a page done, one failed and one to do, under a key."""
    ledger = new_ledger(folder)
    add_job(ledger, "a", "b", "c", owner="me", idempotency_key="k", title="A")
    work(ledger, 2, fails=("b",))
    ledger.close()
    old = folder / "old.sqlite"
    _make(old, "0001")
    _copy(folder / "ledger.sqlite", old, without=_LATER["0001"])
    return old


def _make(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def _copy(source: Path, target: Path, without: tuple[str, ...]) -> None:
    connection = sqlite3.connect(target)
    connection.execute("ATTACH ? AS filled", (str(source),))
    for table in ("jobs", "pages", "events"):
        told = connection.execute(f"PRAGMA filled.table_info({table})").fetchall()
        names = ", ".join(column[1] for column in told if column[1] not in without)
        connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM filled.{table}")
    connection.commit()
    connection.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return first_ledger(tmp_path)


def _migrated(path: Path) -> Ledger:
    connection = sqlite3.connect(path)
    columns = {column[1] for column in connection.execute("PRAGMA table_info(jobs)")}
    connection.close()
    assert "only_pages" not in columns
    return open_ledger(path)


def test_jobs_pages_and_events_are_kept_and_go_on(old: Path, tmp_path: Path) -> None:
    before = open_ledger(tmp_path / "ledger.sqlite")
    ledger = _migrated(old)
    (job,) = ledger.find()[0]
    assert (before.get(job.id), before.pages(job.id), before.events(job.id)) == (
        job,
        ledger.pages(job.id),
        ledger.events(job.id),
    )
    assert (job.submission.only, job.submission.recipe) == ((), RECIPE)
    assert ledger.pages(job.id)[1].failure == BROKEN
    assert work(ledger) == ["c"]
    assert ledger.get(job.id).state is JobState.PACKING
    assert types(ledger, job.id)[-2:] == ["page_done", "packing"]
    before.close()
    ledger.close()


def test_its_keys_still_name_their_jobs(old: Path) -> None:
    ledger = _migrated(old)
    again = submission(owner="me", idempotency_key="k", title="A")
    assert ledger.submit(again, most_waiting=9)[1] is False
    with pytest.raises(IdempotencyError):
        ledger.submit(submission(owner="me", idempotency_key="k", title="A", only=("a",)), most_waiting=9)
    ledger.close()


def test_all_pages_is_null(old: Path) -> None:
    ledger = _migrated(old)
    add_job(ledger, owner="x")
    add_job(ledger, owner="y", only=("名.png",))
    ledger.close()
    connection = sqlite3.connect(old)
    found = [only for (only,) in connection.execute("SELECT only_pages FROM jobs ORDER BY seq")]
    connection.close()
    assert (found[:2], json.loads(found[2])) == ([None, None], ["名.png"])
