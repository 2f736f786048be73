"""Parsed source for the tests that hold the house to its rules."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "enlarger"
ROOMS = ("pictures", "books", "models", "runtimes", "enhance", "jobs", "reader", "compat", "server", "cli")


@cache
def trees(folder: Path = PACKAGE) -> dict[str, ast.Module]:
    """Every Python file below `folder` by its path inside the repository."""
    files = sorted(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts)
    return {p.relative_to(ROOT).as_posix(): ast.parse(p.read_text("utf-8")) for p in files}


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """The last name of what is called: `msg`, `print` of `console.print`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
