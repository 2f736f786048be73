"""What reaches stdout and stderr, and which exit code each kind of error has."""

from __future__ import annotations

import io
import json
import sys

import pytest

from enlarger import errors
from enlarger.cli.output import (
    ExitCode,
    TerminatedError,
    ended,
    exit_code,
    prepare_streams,
    print_json,
    say,
    say_error,
    show,
)
from enlarger.messages import msg

_PROMISED = {
    errors.InputError: 3,
    errors.PictureError: 3,
    errors.BookError: 3,
    errors.UnknownBookError: 3,
    errors.BadRuleError: 3,
    errors.RecipeError: 2,
    errors.ModelError: 4,
    errors.UnknownModelError: 4,
    errors.WeightsMissingError: 4,
    errors.WeightsRefusedError: 4,
    errors.FetchError: 4,
    errors.RuntimeFailedError: 5,
    errors.OutOfMemoryError: 5,
    errors.BadOutputError: 5,
    errors.StorageError: 6,
    errors.DiskFullError: 6,
    errors.LedgerError: 6,
    errors.JobError: 7,
    errors.UnknownJobError: 7,
    errors.IllegalMoveError: 7,
    errors.QueueFullError: 7,
    errors.IdempotencyError: 7,
    errors.ArtifactError: 7,
    errors.ServerError: 7,
    errors.TimedOutError: 1,
    errors.UnexpectedError: 1,
    errors.CancelledError: 130,
    TerminatedError: 143,
}


def _tree(kind: type[errors.EnlargerError]) -> set[type[errors.EnlargerError]]:
    return {kind, *(each for child in kind.__subclasses__() for each in _tree(child))}


def test_every_error_has_its_exit_code() -> None:
    met = (errors.__name__, TerminatedError.__module__)  # the server has kinds of its own, for HTTP
    kinds = {kind for kind in _tree(errors.EnlargerError) if kind.__module__ in met}
    assert kinds - {errors.EnlargerError} == set(_PROMISED)
    assert {kind: exit_code(kind(msg("no"))) for kind in _PROMISED} == _PROMISED


def _failing(as_json: bool = False) -> ExitCode:
    raise errors.BookError(msg("{path}: is broken.", path="[Group] 书.cbz"), msg("Copy it again."))


def test_an_error_is_said_on_stderr_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(_failing)() == ExitCode.INPUT
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "Error: [Group] 书.cbz: is broken.\n  Copy it again.\n"


def test_with_json_an_error_is_an_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(_failing)(as_json=True) == ExitCode.INPUT
    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "bad_book", "message": "[Group] 书.cbz: is broken.", "remedy": "Copy it again."}
    }


def test_long_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    line = "/a folder/" * 60
    say(line)
    show(line)
    say_error(errors.BookError(msg("{path}", path=line)))
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (f"{line}\n", f"{line}\nError: {line}\n")


def _console_in(encoding: str, monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    return written


def test_a_gbk_console_shows_chinese_and_a_mark_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    written = _console_in("gbk", monkeypatch)
    prepare_streams()
    show("放大 \N{GRINNING FACE}")
    sys.stdout.flush()
    assert written.getvalue().decode("gbk").rstrip() == "放大 ?"


def test_json_is_whole_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = _console_in("gbk", monkeypatch)
    prepare_streams()
    print_json({"file": "\N{GRINNING FACE}.png"})
    assert json.loads(written.getvalue().decode("gbk")) == {"file": "\N{GRINNING FACE}.png"}
