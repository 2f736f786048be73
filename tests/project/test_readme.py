"""Both READMEs say the same, and what they say is true."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

import pytest
import typer

import enlarger
from enlarger.cli.app import build_app
from enlarger.models import CONSERVATIVE, load_catalog, noise_name
from enlarger.settings import Settings
from source_trees import ROOT

_ENGLISH, _CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
both = pytest.mark.parametrize("text", [_ENGLISH, _CHINESE], ids=["en", "zh"])


def _headings(text: str) -> list[str]:
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"^(#+) ", outside, re.M)


def _blocks(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S)


def _lines(text: str) -> list[str]:
    """The shell's lines, without comments."""
    found = (line for kind, block in _blocks(text) if kind == "sh" for line in block.splitlines())
    return [shlex.join(shlex.split(line, comments=True)) for line in found]


def _commands(text: str) -> Iterator[list[str]]:
    """Every `enlarger …`, in blocks and in sentences."""
    for line in (*_lines(text), *re.findall(r"`(enlarger [^`]+)`", text)):
        program, *arguments = shlex.split(line)
        if program == "enlarger":
            yield arguments


def _rows(text: str) -> dict[str, list[str]]:
    rows = (re.split(r"\s*\|\s*", line.strip("| ")) for line in re.findall(r"^\| `.+$", text, re.M))
    return {name.strip("`"): cells for name, *cells in rows}


def test_both_have_the_same_parts() -> None:
    assert _headings(_ENGLISH) == _headings(_CHINESE)
    assert [kind for kind, _ in _blocks(_ENGLISH)] == [kind for kind, _ in _blocks(_CHINESE)]
    assert _lines(_ENGLISH) == _lines(_CHINESE)
    assert list(_commands(_ENGLISH)) == list(_commands(_CHINESE))
    for pattern in (r"^- ", r"\]\((?!README)([^)]+)\)", r"ENLARGER_\w+"):
        assert re.findall(pattern, _ENGLISH, re.M) == re.findall(pattern, _CHINESE, re.M)


@both
def test_links_lead_somewhere(text: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if not re.match(r"\w+:", link)]
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


@both
def test_every_command_is_one(text: str) -> None:
    commands = list(_commands(text))
    assert len(commands) > 10
    for arguments in commands:
        _parse(arguments)


def _parse(arguments: list[str]) -> None:
    """Raises what the command line would raise, and runs nothing."""
    command = typer.main.get_command(build_app())
    while hasattr(command, "commands") and arguments:
        command, arguments = command.commands[arguments[0]], arguments[1:]
    if arguments or not hasattr(command, "commands"):
        command.make_context("enlarger", list(arguments))


def test_a_command_that_is_none_is_noticed() -> None:
    with pytest.raises(typer.TyperException):
        _parse(["upscale", "page.jpg", "--scales", "2"])
    with pytest.raises(KeyError):
        _parse(["models", "fetch"])


@both
def test_python_is_python(text: str) -> None:
    (source,) = (block for kind, block in _blocks(text) if kind == "python")
    (call,) = (node for node in ast.walk(ast.parse(source)) if ast.unparse(node).startswith("enlarger.upscale("))
    assert isinstance(call, ast.Call)
    assert {keyword.arg for keyword in call.keywords} <= set(enlarger.upscale.__kwdefaults__ or ())


@both
def test_the_table_has_every_card_as_it_is(text: str) -> None:
    rows = _rows(text)
    cards = {card.name: card for card in load_catalog().cards}
    assert set(rows) == set(cards)
    for name, (_, scales, noises, licence, _) in rows.items():
        card = cards[name]
        levels = {level for scale in card.scales for level in card.noises(scale) if level is not None}
        assert scales == " ".join(f"{scale}x" for scale in card.scales)
        assert noises == (" ".join(map(noise_name, sorted(levels))) or "–")
        assert licence == card.licence
    assert CONSERVATIVE < 0  # so that it is sorted to the front


@both
def test_settings_are_settings(text: str) -> None:
    named = set(re.findall(r"ENLARGER_([A-Z_]+)", text))
    assert named
    assert named - {field.upper() for field in Settings.model_fields} == set()
