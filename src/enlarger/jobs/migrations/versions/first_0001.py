"""The first ledger: jobs, pages, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_jobs()
    _make_pages()
    _make_events()


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        *_what_is_asked_for(),
        *_how_far_it_is(),
        *_what_holds_of_a_job(),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
        sa.UniqueConstraint("owner", "idempotency_key", name=op.f("uq_jobs_owner_idempotency_key")),
        sqlite_autoincrement=True,
    )
    _index_jobs()


def _what_is_asked_for() -> Sequence[sa.Column[Any]]:
    return (
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("volume", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_path", sa.Text(), nullable=False),
        sa.Column("recipe", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("packs", sa.Boolean(), nullable=False),
        sa.Column("transient", sa.Boolean(), nullable=False),
    )


def _how_far_it_is() -> Sequence[sa.Column[Any]]:
    return (
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("artifact_path", sa.Text(), nullable=True),
        sa.Column("artifact_sha256", sa.Text(), nullable=True),
        sa.Column("artifact_bytes", sa.BigInteger(), nullable=True),
        sa.Column("last_event", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
    )


def _what_holds_of_a_job() -> Sequence[sa.CheckConstraint]:
    return (
        sa.CheckConstraint(
            "(state IN ('done', 'partial', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished"),
        ),
        sa.CheckConstraint(
            "NOT (state IN ('done', 'partial', 'failed', 'cancelled')) OR done + failed + cancelled = total",
            name=op.f("ck_jobs_settled"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'paused', 'packing', 'done', 'partial', 'failed', 'cancelled')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint("(reason IS NULL) = (reason_code IS NULL)", name=op.f("ck_jobs_reason")),
        sa.CheckConstraint(
            "done >= 0 AND failed >= 0 AND cancelled >= 0 AND done + failed + cancelled <= total",
            name=op.f("ck_jobs_counts"),
        ),
    )


def _index_jobs() -> None:
    op.create_index("ix_jobs_finished_at", "jobs", ["finished_at"], unique=False)
    op.create_index(
        "ix_jobs_service",
        "jobs",
        [sa.literal_column("priority DESC"), "turn", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_jobs_turn", "jobs", ["turn"], unique=False)
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["state", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'running', 'paused', 'packing')"),
        postgresql_where=sa.text("state IN ('queued', 'running', 'paused', 'packing')"),
    )


def _make_pages() -> None:
    op.create_table(
        "pages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("targets", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("awaits_key", sa.Text(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Double(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("input_sha256", sa.Text(), nullable=True),
        sa.Column("output_sha256", sa.Text(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("computed", sa.Boolean(), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("(state = 'done') = (output_sha256 IS NOT NULL)", name=op.f("ck_pages_result")),
        sa.CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name=op.f("ck_pages_failure")),
        sa.CheckConstraint("(state = 'running') = (claimed_at IS NOT NULL)", name=op.f("ck_pages_claimed")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_pages_state")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_pages_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("job_id", "name", name=op.f("uq_pages_job_id_name")),
        sa.UniqueConstraint("job_id", "position", name=op.f("uq_pages_job_id_position")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pages_job_id_state_position", "pages", ["job_id", "state", "position"], unique=False)
    op.create_index(
        "ix_pages_running",
        "pages",
        ["job_id"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_events_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_events")),
    )
