"""Files are renamed and deleted in one place, where what Windows asks for is done: elsewhere it would be forgotten."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from source_trees import ROOT

SOURCE = ROOT / "src" / "enlarger"
THE_PLACE = SOURCE / "storage.py"
ALLOWED = {
    "shelf_intake.py",  # through storage.insist: it must not replace what is there
    "openvino_graph.py",  # outputs of a graph's nodes
}
MODULES = {"os", "shutil"}


def renames(tree: ast.AST) -> Iterator[int]:
    """Lines that call os.replace, os.rename, shutil.move, or the methods of a Path: those have one argument."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in MODULES
        of_path = len(node.args) == 1 and not node.keywords
        if node.func.attr in ("rename", "replace", "move", "renames") and (of_module or of_path):
            yield node.lineno


def deletes(tree: ast.AST) -> Iterator[int]:
    """Lines that name shutil.rmtree, os.remove, os.unlink, or call the method of a Path."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        of_module = isinstance(node.value, ast.Name) and node.value.id in MODULES
        if node.attr in ("rmtree", "unlink") or (of_module and node.attr == "remove"):
            yield node.lineno


@pytest.mark.parametrize("code", ["os.replace(a, b)", "a.rename(b)", "a.replace(b)", "shutil.move(a, b)"])
def test_the_check_sees_what_it_should(code: str) -> None:
    assert list(renames(ast.parse(code))) == [1]


@pytest.mark.parametrize("code", ["a.unlink()", "os.remove(a)", "run(shutil.rmtree, a)", "os.unlink(a)"])
def test_it_sees_what_deletes(code: str) -> None:
    assert list(deletes(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code", ["a.replace('x', 'y')", "replace(a, b=1)", "a.replace(tzinfo=None)", "rename(a, b)", "names.remove(a)"]
)
def test_the_check_leaves_alone_what_is_no_file(code: str) -> None:
    assert [*renames(ast.parse(code)), *deletes(ast.parse(code))] == []


def test_files_are_renamed_in_one_place() -> None:
    assert elsewhere(renames, ALLOWED) == []


def test_files_are_deleted_in_one_place() -> None:
    """Where it is tried again while they are open, and long paths are found."""
    assert elsewhere(deletes) == []


def elsewhere(check: Callable[[ast.AST], Iterator[int]], allowed: Collection[str] = ()) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted(SOURCE.rglob("*.py"))
        if file != THE_PLACE and file.name not in allowed
        for line in check(ast.parse(file.read_text("utf-8")))
    ]


def test_folders_are_not_synced_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    from enlarger import storage

    monkeypatch.setattr(storage.os, "name", "nt")
    monkeypatch.setattr(os, "fsync", None)
    storage.sync_folder(tmp_path)
