"""What typer and click say by themselves, in the reader's language.

Part of it goes through gettext, whose look-up is replaced by ours; the rest is plain English in their source, so
what they have said is recognised by its template and said again.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

from enlarger.messages import Message, current_language, msg, translate


def join_gettext() -> None:
    """Let the gettext calls of this process find our catalogue; strings it does not have stay as they are.

    typer offers no other way in: it asks for compiled catalogues by the locale of the process, which says nothing
    of ENLARGER_LANGUAGE.
    """
    gettext.dgettext = _look_up


def _look_up(domain: str, message: str) -> str:  # noqa: ARG001 - the name gettext calls it by
    return translate(message, current_language())


def gettext_words() -> Iterator[Message]:
    """What typer passes through gettext: said here so that the catalogue has it."""
    yield msg("Arguments")
    yield msg("Options")
    yield msg("Commands")
    yield msg("Error")
    yield msg("[default: {}]", **{"": "{}"})
    yield msg("[required]")
    yield msg("Missing command.")


def plain_sentences() -> Iterator[Message]:
    """What typer, its click and pydantic say in English only, about what a person typed."""
    yield msg("Missing argument {name}.", name="")
    yield msg("Missing option {name}.", name="")
    yield msg("Invalid value for {name}: {problem}", name="", problem="")
    yield msg("Invalid value: {problem}", problem="")
    yield msg("No such option: {name} (Possible options: {names})", name="", names="")
    yield msg("No such option: {name}", name="")
    yield msg("No such command {name}. Did you mean {names}?", name="", names="")
    yield msg("No such command {name}.", name="")
    yield msg("Option {name} requires an argument.", name="")
    yield msg("Option {name} does not take a value.", name="")
    yield msg("Got unexpected extra argument(s) ({names})", names="")
    yield msg("Value error, {problem}", problem="")
    yield msg("{value} is not one of {names}.", value="", names="")
    yield msg("Input should be a valid integer, unable to parse string as an integer")
    yield msg("Input should be a valid number, unable to parse string as a number")
    yield msg("Input should be less than or equal to {limit}", limit="")
    yield msg("Input should be greater than or equal to {limit}", limit="")


def said_again(text: str) -> Message | str:
    """`text`, a sentence of click's, as a message of ours; as it is when it is none that we know."""
    for template, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return Message(template, {name: said_again(fact) for name, fact in found.groupdict().items()})
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((message.template, re.compile(_pattern(message.template), re.DOTALL)) for message in plain_sentences())


def _pattern(template: str) -> str:
    parts = (re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _, _ in Formatter().parse(template))
    return "".join(parts)
