"""The ledger's tables: jobs, their pages and their events, in SQL that SQLite and PostgreSQL both take.

Enumerations are stored as their values and checked by the database, so that no other program can leave a state that
this one does not know. A change here needs a migration beside it; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)

from enlarger.jobs.job import JobState, PageState

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows only in a column of this very type
_VALUE = JSON(none_as_null=True)


def one_of(column: str, states: Iterable[StrEnum]) -> str:
    """`column IN ('…', …)`: written out, because a partial index serves only the condition it was made with."""
    return f"{column} IN ({', '.join(repr(state.value) for state in states)})"


CLAIMABLE = (JobState.QUEUED, JobState.RUNNING)
FINAL = tuple(state for state in JobState if state.is_final)
UNFINISHED = tuple(state for state in JobState if not state.is_final)
_JOB_IS_CLAIMABLE = one_of("state", CLAIMABLE)
_JOB_IS_FINAL = one_of("state", FINAL)
_JOB_IS_UNFINISHED = one_of("state", UNFINISHED)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

jobs = Table(
    "jobs",
    metadata,
    Column("seq", _NUMBER, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("request_sha256", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("volume", Text, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source_path", Text, nullable=False),
    Column("recipe", _VALUE, nullable=False),
    Column("params", _VALUE, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("turn", BigInteger, nullable=False, server_default="0"),  # the smallest is served next
    Column("device", Text, nullable=False),
    Column("packs", Boolean, nullable=False),
    Column("transient", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("reason", _VALUE),
    Column("reason_code", Text),
    Column("retries", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0"),
    Column("output_bytes", BigInteger, nullable=False, server_default="0"),
    Column("artifact_path", Text),
    Column("artifact_sha256", Text),
    Column("artifact_bytes", BigInteger),
    Column("last_event", Integer, nullable=False, server_default="0"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("only_pages", _VALUE),  # names; null: all that the source has
    UniqueConstraint("owner", "idempotency_key"),
    CheckConstraint(one_of("state", JobState), name="state"),
    CheckConstraint(
        "done >= 0 AND failed >= 0 AND cancelled >= 0 AND done + failed + cancelled <= total", name="counts"
    ),
    CheckConstraint(f"({_JOB_IS_FINAL}) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint(f"NOT ({_JOB_IS_FINAL}) OR done + failed + cancelled = total", name="settled"),
    CheckConstraint("(reason IS NULL) = (reason_code IS NULL)", name="reason"),
    sqlite_autoincrement=True,
)

pages = Table(
    "pages",
    metadata,
    Column("id", _NUMBER, primary_key=True),  # never used twice: a late worker must not meet another page
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("targets", _VALUE, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("alone", Boolean, nullable=False),
    Column("awaits_key", Text),
    Column("worker", Text),
    Column("claimed_at", Double),
    Column("output", Text),
    Column("input_sha256", Text),
    Column("output_sha256", Text),
    Column("bytes", BigInteger),
    Column("key", Text),
    Column("seconds", Double),
    Column("computed", Boolean),
    Column("facts", _VALUE),
    Column("failure", _VALUE),
    UniqueConstraint("job_id", "position"),
    UniqueConstraint("job_id", "name"),
    CheckConstraint(one_of("state", PageState), name="state"),
    CheckConstraint("(state = 'done') = (output_sha256 IS NOT NULL)", name="result"),
    CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
    CheckConstraint("(state = 'running') = (claimed_at IS NOT NULL)", name="claimed"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", _VALUE, nullable=False),
)


def is_claimable() -> TextClause:
    """Jobs whose pages may be claimed: the condition of the index that lists them in the order of service."""
    return text(f"jobs.{_JOB_IS_CLAIMABLE}")


def is_unfinished() -> TextClause:
    """Jobs that have not ended, by an index that holds no others."""
    return text(f"jobs.{_JOB_IS_UNFINISHED}")


def _partial(name: str, *columns: object, where: str) -> Index:
    condition = text(where)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)  # type: ignore[arg-type]


_partial("ix_jobs_service", jobs.c.priority.desc(), jobs.c.turn, jobs.c.seq, where=_JOB_IS_CLAIMABLE)
Index("ix_jobs_turn", jobs.c.turn)
_partial("ix_jobs_unfinished", jobs.c.state, jobs.c.seq, where=_JOB_IS_UNFINISHED)
Index("ix_jobs_finished_at", jobs.c.finished_at)
Index("ix_pages_job_id_state_position", pages.c.job_id, pages.c.state, pages.c.position)
_partial("ix_pages_running", pages.c.job_id, where="state = 'running'")
