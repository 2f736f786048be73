"""The migrations lead to the schema in the code, and its statements are PostgreSQL's too."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from ledger_making import new_ledger
from sqlalchemy import ClauseElement, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from enlarger.jobs import Priority
from enlarger.jobs.claims import Wish, claim_statement
from enlarger.jobs.ledger_file import open_ledger_file
from enlarger.jobs.migrations import HEAD
from enlarger.jobs.schema import metadata


def test_the_newest_step_is_the_one_that_is_written_down() -> None:
    config = Config()
    config.set_main_option("script_location", "enlarger.jobs:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_steps_lead_to_the_schema(tmp_path: Path) -> None:
    file = open_ledger_file(tmp_path / "ledger.sqlite")
    with file.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    file.close()


def test_the_steps_make_the_same_tables_to_the_letter(tmp_path: Path) -> None:
    """Checks, keys and partial indexes too, which Alembic does not compare."""
    new_ledger(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}")
    metadata.create_all(engine)
    engine.dispose()
    assert _tables(tmp_path / "ledger.sqlite") == _tables(tmp_path / "made.sqlite")


def _tables(path: Path) -> dict[str, list[str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        name: sorted(part.strip() for part in re.split(r",(?![^(]*\))|\n", sql) if part.strip())
        for name, sql in rows
        if name not in ("alembic_version", "sqlite_sequence")
    }


def test_postgresql_takes_the_tables() -> None:
    for table in metadata.sorted_tables:
        assert "CHECK" in _sql(CreateTable(table)) or table.name == "events"
        for index in table.indexes:
            assert _sql(CreateIndex(index)).startswith("CREATE INDEX")
    assert "BIGSERIAL" in _sql(CreateTable(metadata.tables["jobs"]))


@pytest.mark.parametrize("wish", [Wish(True), Wish(False, Priority.VOLUME, ["k"])])
def test_postgresql_claims_one_page_without_waiting_for_others(wish: Wish) -> None:
    statement = _sql(claim_statement(wish.idle, frozenset(wish.values)))
    assert "WHERE pages.id = (SELECT" in statement, "an IN would claim several there"
    assert "FOR UPDATE SKIP LOCKED) AND" in statement


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=postgresql.dialect())).strip()
