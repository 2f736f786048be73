"""Jobs for some pages of a source: which ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # added in place: to make the table anew, SQLite would drop the old one, and with it every page and event
    op.add_column("jobs", sa.Column("only_pages", sa.JSON(none_as_null=True), nullable=True))
