"""From any older form of the ledger to this version's: Alembic's steps, run inside one transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from enlarger.errors import LedgerError
from enlarger.jobs.ledger_errors import broken
from enlarger.messages import msg

HEAD = "0001"  # the newest step; written down so that opening a ledger that has it loads no Alembic
_VERSION_TABLE = "alembic_version"


def migrate(connection: Connection, path: Path) -> None:
    """Bring the ledger behind `connection` to `HEAD`; raises LedgerError for another program's or a newer one."""
    tables = inspect(connection).get_table_names()
    if tables and _VERSION_TABLE not in tables:
        raise broken(path)
    current = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}")) if tables else None  # noqa: S608
    if current != HEAD:
        _upgrade(connection, path, current)


def _upgrade(connection: Connection, path: Path, current: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "enlarger.jobs:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise LedgerError(
            msg("{path}: a newer version of Enlarger made this ledger of jobs.", path=path),
            msg("Use that version or a newer one, or choose another storage folder."),
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
