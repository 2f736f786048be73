"""From any older form of the ledger to this version's: Alembic's steps, run inside one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from enlarger.errors import LedgerError
from enlarger.jobs.ledger_errors import broken
from enlarger.messages import msg

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"  # the newest step; written down so that opening a ledger that has it loads no Alembic
_VERSION_TABLE = "alembic_version"


def require_ours(connection: Connection, path: Path) -> str | None:
    """The step that the ledger is at, None for an empty file; LedgerError for another program's or a newer one."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if _VERSION_TABLE not in tables:
        raise broken(path)
    current = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - a constant
    if current != HEAD and current not in _known():
        raise LedgerError(
            msg("{path}: a newer version of Enlarger made this ledger of jobs.", path=path),
            msg("Use that version or a newer one, or choose another storage folder."),
        )
    return str(current)


def migrate(connection: Connection, path: Path) -> None:
    """Bring the ledger to `HEAD` inside the connection's transaction; LedgerError as `require_ours`."""
    if require_ours(connection, path) == HEAD:
        return
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "enlarger.jobs:migrations")
    return config
