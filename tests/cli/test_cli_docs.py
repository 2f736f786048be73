"""docs/cli.md tells every command, option and exit code, and docs/python.md every parameter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

import enlarger
from enlarger.cli.app import build_app
from enlarger.cli.output import ExitCode
from enlarger.messages import translate
from source_trees import ROOT

_DOCUMENT = (ROOT / "docs" / "cli.md").read_text("utf-8")


def _commands(command: Any, path: tuple[str, ...] = ("enlarger",)) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, name))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    return dict(_commands(typer.main.get_command(build_app())))


def _sections() -> dict[str, str]:
    parts = re.split(r"^### (enlarger .+)$", _DOCUMENT, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _rows(section: str) -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `((?:[^`])+)` \| (.+?) \| (.+?) \|$", section, re.M)
    return {label.replace("\\|", "|"): (meaning, chinese) for label, meaning, chinese in rows}


def _label(param: Any) -> str:
    if not param.opts[0].startswith("-"):
        return f"{param.metavar}{'…' if param.nargs != 1 else ''}"
    return ", ".join(param.opts) + (f" {param.metavar}" if param.metavar else "")


def test_every_command_and_option_is_documented_as_its_help_says(commands: dict[str, Any]) -> None:
    sections = _sections()
    assert list(sections) == list(commands)
    for name, command in commands.items():
        rows = _rows(sections[name])
        assert {label: meaning for label, (meaning, _) in rows.items()} == {
            _label(param): param.help for param in command.params
        }
        assert command.help in sections[name]
        assert {label: chinese for label, (_, chinese) in rows.items()} == {
            _label(param): translate(param.help, "zh") for param in command.params
        }
        assert translate(command.help, "zh") in sections[name]


def test_every_exit_code_is_documented() -> None:
    table = _DOCUMENT.split("| exit code |")[1].split("\n\n")[0]
    told = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in codes.split(",")}
    assert told == set(ExitCode)


def test_every_parameter_of_the_python_call_is_documented() -> None:
    document = (ROOT / "docs" / "python.md").read_text("utf-8")
    wanted = [name for name in inspect.signature(enlarger.upscale).parameters if name != "picture"]
    assert [name for name in wanted if f"{name}=" not in document] == []
