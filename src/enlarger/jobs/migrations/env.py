"""What Alembic runs its steps in: the connection, and the transaction, that the ledger handed over."""

from __future__ import annotations

from alembic import context

from enlarger.jobs.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
