"""Arguments and options that several `enlarger jobs` commands share; made when asked for, in the language of then."""

from __future__ import annotations

from typing import Any

import typer

from enlarger.messages import msg


def server_option() -> Any:
    """--server"""
    help_ = msg("The server's address. Without it: ENLARGER_SERVER, else this machine's port 8001.")
    return typer.Option("--server", metavar="URL", show_default=False, help=str(help_))


def json_option() -> Any:
    """--json"""
    return typer.Option("--json", help=str(msg("Print one JSON object.")))


def one_id() -> Any:
    """ID"""
    return typer.Argument(metavar="ID", help=str(msg("A job's id, or its first letters.")))


def several_ids() -> Any:
    """ID..."""
    return typer.Argument(metavar="ID", show_default=False, help=str(msg("Jobs' ids, or their first letters.")))
