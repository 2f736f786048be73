"""The only place that prints and that knows exit codes: results to stdout, everything else to stderr."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from enlarger.errors import (
    CancelledError,
    EnlargerError,
    InputError,
    JobError,
    ModelError,
    RecipeError,
    RuntimeFailedError,
    ServerError,
    StorageError,
)
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_P = ParamSpec("_P")
_UNBOUNDED_COLUMNS = 10_000


class ExitCode(IntEnum):
    """What a script learns; explained in the help and in docs/cli.md."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    INPUT = 3
    MODEL = 4
    RUNTIME = 5
    STORAGE = 6
    SERVER = 7
    INTERRUPTED = 130
    TERMINATED = 143


class TerminatedError(CancelledError):
    """Stopped by SIGTERM."""


_CODES: tuple[tuple[type[EnlargerError], ExitCode], ...] = (  # the first that fits
    (RecipeError, ExitCode.USAGE),
    (InputError, ExitCode.INPUT),
    (ModelError, ExitCode.MODEL),
    (RuntimeFailedError, ExitCode.RUNTIME),
    (StorageError, ExitCode.STORAGE),
    (ServerError, ExitCode.SERVER),
    (JobError, ExitCode.SERVER),
    (TerminatedError, ExitCode.TERMINATED),
    (CancelledError, ExitCode.INTERRUPTED),
)


def exit_code(error: EnlargerError) -> ExitCode:
    """The code for the kind of error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.SOME_FAILED)


def ended(command: Callable[_P, ExitCode]) -> Callable[_P, ExitCode]:
    """The command with its errors told: a sentence on stderr, with --json an object on stdout, and the exit code."""

    @functools.wraps(command)
    def told(*args: _P.args, **options: _P.kwargs) -> ExitCode:
        try:
            return command(*args, **options)
        except EnlargerError as error:
            if options.get("as_json"):
                print_json({"error": error_json(error)})
            if isinstance(error, CancelledError):
                say(error.message)
            else:
                say_error(error)
            return exit_code(error)

    return told


def error_json(error: EnlargerError) -> dict[str, str | None]:
    """An error for scripts: a code that stays, and the sentences a person would see."""
    return {
        "code": error.code,
        "message": str(error.message),
        "remedy": None if error.remedy is None else str(error.remedy),
    }


def prepare_streams() -> None:
    """A console in another encoding (GBK) shows `?` for what it lacks, rather than ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def screen() -> Console:
    """The console for progress and messages: stderr. One an object with a live bar, so that lines go above it."""
    return _console(stderr=True)


def is_watched() -> bool:
    """Whether a person sees stderr, so that a moving bar makes sense."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def say(sentence: Message | str, *, to: Console | None = None) -> None:
    """A sentence on stderr, on the console `to` when a bar moves there."""
    (to or screen()).print(str(sentence), soft_wrap=True)


def say_error(error: EnlargerError, *, to: Console | None = None) -> None:
    """What went wrong, and below it what to do about it."""
    say(msg("Error: {sentence}", sentence=error.message), to=to)
    if error.remedy is not None:
        say(f"  {error.remedy}", to=to)


def say_last(sentence: Message) -> None:
    """A sentence on stderr just before the process ends, whoever holds the console, with the cursor shown again."""
    text = ("\x1b[?25h\n" if is_watched() else "") + f"{sentence}\n"  # a moving bar hides the cursor
    with suppress(OSError, ValueError):  # nobody reads it any more
        os.write(sys.stderr.fileno(), text.encode(sys.stderr.encoding, "replace"))


def show(result: RenderableType) -> None:
    """A result, text or table, on stdout; never cut short where nobody watches its width."""
    _console().print(result, soft_wrap=isinstance(result, str))


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, and nothing beside it; whole in every encoding."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, ensure_ascii=not unicode, indent=2) + "\n")
    sys.stdout.flush()


def print_paths(paths: Iterable[Path]) -> None:
    """Where results are, one a line, for the program at the other end of a pipe; a person has read it already."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{path}\n" for path in paths)
        sys.stdout.flush()


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNBOUNDED_COLUMNS
    # no markup: "[Group] Title.cbz" is a file's name here, not a colour
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)
