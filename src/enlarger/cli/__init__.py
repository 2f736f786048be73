"""The command: `enlarger` translates in, calls, translates out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command with `arguments` (without the program's name; those of the process when None) and exit."""
    from enlarger.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))
