"""The command line as a whole: help, version, wrong usage, and how little is loaded for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from command_running import Enlarger
from typer.testing import CliRunner

import enlarger as package
from enlarger.cli.app import build_app
from enlarger.messages import LANGUAGES, Message, translate


def _paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    yield " ".join(path)
    for name, child in getattr(command, "commands", {}).items():
        yield from _paths(child, (*path, name))


_COMMANDS = list(_paths(typer.main.get_command(build_app())))


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    result = CliRunner().invoke(build_app(), [*command.split(), "--help"], prog_name="enlarger")
    assert result.exit_code == 0
    assert f"Usage: enlarger {command}".rstrip() in result.output
    assert "Show this help and exit." in result.output
    assert "<bool>" not in result.output
    assert "<list" not in result.output


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", _COMMANDS)
def test_at_80_columns_every_sentence_is_whole(command: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", language)
    monkeypatch.setenv("COLUMNS", "80")
    app = build_app()
    shown = CliRunner().invoke(app, [*command.split(), "--help"]).output
    page = _unbroken(shown)
    sentences = _sentences(typer.main.get_command(app), command.split())
    assert [each for each in sentences if _unbroken(each) not in page] == []
    assert shown.count("…") == sum(each.count("…") for each in sentences)


def _sentences(group: Any, path: list[str]) -> list[str]:
    """Those that the help page of the command at `path` is made of."""
    command = group
    for name in path:
        command = command.commands[name]
    told = [command.help, command.epilog, *(param.help for param in command.params)]
    return [each for each in [*told, *(child.help for child in getattr(command, "commands", {}).values())] if each]


def _unbroken(text: str) -> str:
    """Without frames and what separates words: where a line ends is not the sentence's business."""
    return re.sub(r"[│\s]", "", text)


def test_help_is_in_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    for language in ("en", "zh", "en"):
        monkeypatch.setenv("ENLARGER_LANGUAGE", language)
        shown = CliRunner().invoke(build_app(), ["--help"]).output
        assert translate("Enlarge pictures, folders and archives.", language) in shown
        assert translate("Exit codes:", language) in shown
        assert Message("Usage:").text(language) in shown


def test_the_version(enlarger: Enlarger) -> None:
    assert enlarger("--version").out == f"enlarger {package.__version__}\n"


@pytest.mark.parametrize("line", ["upscale", "upscale a --scale many", "nothing", "cache clean", "models pull",
                                  "models pull cunet --from a.pth --source url", "devices cunet",
                                  "cache clean --older-than soon", "cache clean --max-size big"])  # fmt: skip
def test_wrong_usage_is_explained_on_stderr(enlarger: Enlarger, line: str) -> None:
    done = enlarger(*line.split())
    assert done.code == 2
    assert done.out == ""
    assert "Error: " in done.err


def test_without_a_command_there_is_help(enlarger: Enlarger) -> None:
    done = enlarger()
    assert done.code == 2
    assert "upscale" in done.out + done.err


@pytest.mark.parametrize("name", ["ENLARGER_THREADS", "ENLARGER_WORKERS", "REICHAN_MAX_CONCURRENCY"])
def test_a_variable_that_is_not_understood_is_named(
    enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "many")
    done = enlarger("cache", "stats")
    assert done.code == 2
    assert f"{name}: “many” is not understood." in done.err


def test_help_loads_no_numbers() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from enlarger.cli.app import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): assert run(['upscale', '--help']) == 0\n"
        "print(*sorted(set(sys.modules) & {'numpy', 'PIL', 'openvino', 'ncnn', 'onnx', 'httpx', 'psutil', 'babel'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
