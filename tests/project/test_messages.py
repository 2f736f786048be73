"""Every sentence is translated, and nothing reaches a person around the catalogue."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from enlarger import errors
from scripts import messages as tool
from source_trees import called, calls, trees

_SPEAKING = {"print", "echo", "secho", "rule", "status", "add_task", "add_column", "add_row", "BadParameter", "Exit"}
_ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}


def test_chinese_catalogue_is_complete() -> None:
    assert list(tool.problems(tool.extract(), tool.load())) == []


def test_every_template_names_exactly_its_facts() -> None:
    wrong = [
        f"{name}:{call.lineno}: {reason}"
        for name, tree in trees().items()
        for call in calls(tree)
        if called(call) == "msg" and (reason := _misfit(call))
    ]
    assert wrong == []


def _misfit(call: ast.Call) -> str | None:
    template = call.args[0] if call.args else None
    if not (isinstance(template, ast.Constant) and isinstance(template.value, str)):
        return "the template must be a literal, or it cannot be extracted"
    given = {keyword.arg for keyword in call.keywords}
    wanted = tool.placeholders(template.value)
    return None if None in given or given == wanted else f"says {sorted(wanted)}, is given {sorted(map(str, given))}"


def test_errors_carry_messages_not_strings() -> None:
    bare = [
        f"{name}:{call.lineno}"
        for name, tree in trees().items()
        for call in calls(tree)
        if called(call) in _ERRORS and any(map(_is_literal, call.args))
    ]
    assert bare == []


def test_the_command_speaks_through_the_catalogue() -> None:
    spoken = [
        f"{name}:{call.lineno}"
        for name, tree in trees().items()
        if "/migrations/" not in name  # Alembic's columns are no table of the command's
        for call in calls(tree)
        if (called(call) in _SPEAKING and any(map(_is_sentence, call.args)))
        or any(k.arg in ("help", "short_help", "epilog", "prompt") and _is_sentence(k.value) for k in call.keywords)
    ]
    assert spoken == []


def test_commands_do_not_take_their_help_from_docstrings() -> None:
    """Typer shows a command's docstring, which is English only, unless it is given `help=`."""
    silent = [
        f"{name}:{function.lineno}"
        for name, tree in trees().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and called(decorator) in ("command", "callback")
        and "help" not in {k.arg for k in decorator.keywords}
    ]
    assert silent == []


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_sentence(node: ast.expr) -> bool:
    """Literal text with a word in it, rich's [markup] aside."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))
    return bool(re.search(r"[^\W\d_]{2}", re.sub(r"\[[^\]]*\]", "", text)))


def test_the_tool_finds_every_template() -> None:
    """babel reads tokens: on Python 3.11 an f-string is one of them, and what `msg` says inside it is not seen."""
    assert _templates(trees()) == {message.id for message in tool.extract() if message.id}


def _templates(sources: dict[str, ast.Module]) -> set[str]:
    firsts = (call.args[0] for tree in sources.values() for call in calls(tree) if called(call) == "msg" and call.args)
    return {first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)}


# ---- the tool itself ----


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "rooms.py").write_text('raise E(msg("a {b}", b=msg("inner")),\n  msg("two "\n  "parts"))\n', "utf-8")
    return tmp_path


def test_extraction_finds_nested_and_joined_templates(source: Path) -> None:
    assert {m.id for m in tool.extract(source) if m.id} == {"a {b}", "inner", "two parts"}


@pytest.mark.parametrize(
    ("template", "translation", "flags", "problem"),
    [
        ("a {b}", "甲 {b}", set(), None),
        ("a {b}", "", set(), "without a translation"),
        ("a {b}", "甲 {c}", set(), "other {facts}"),
        ("a {b}", "甲 {b}", {"fuzzy"}, "fuzzy"),
        ("gone", "没了", set(), "no longer said"),
    ],
)
def test_each_problem_is_named(template: str, translation: str, flags: set[str], problem: str | None) -> None:
    wanted, catalogue = Catalog(), Catalog()
    if template != "gone":
        wanted.add(template)
    catalogue.add(template, translation, flags=flags)
    found = list(tool.problems(wanted, catalogue))
    assert found == [] if problem is None else found[0].startswith(problem)


def test_update_adds_and_drops(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zh.po"
    path.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "inner"\nmsgstr "里"\n\n'
                    'msgid "gone"\nmsgstr "没了"\n', "utf-8")  # fmt: skip
    monkeypatch.setattr(tool, "extract", lambda extract=tool.extract: extract(source))
    assert tool.update(path) == 2
    entries = {m.id: m.string for m in tool.load(path) if m.id}
    assert entries == {"a {b}": "", "inner": "里", "two parts": ""}
    assert "没了" not in path.read_text("utf-8")
