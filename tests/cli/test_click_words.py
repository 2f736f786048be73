"""Every sentence that typer says about a wrong command line is one that we can translate."""

from __future__ import annotations

import gettext
from collections.abc import Iterator

import pytest
import typer

from enlarger.cli.app import build_app
from enlarger.cli.click_words import gettext_words, join_gettext, plain_sentences, said_again
from enlarger.messages import Message

_WRONG = {
    "upscale": "Missing argument {name}.",
    "upscale a --scale many": "Invalid value for {name}: {problem}",
    "upscale a --width many": "Invalid value for {name}: {problem}",
    "upscale a --precision some": "Invalid value for {name}: {problem}",
    "upscale a --presicion": "No such option: {name} (Possible options: {names})",
    "upscale a --zzz": "No such option: {name}",
    "upscale a --scale": "Option {name} requires an argument.",
    "upscale a --json=1": "Option {name} does not take a value.",
    "models list a b": "Got unexpected extra argument(s) ({names})",
    "upscalx": "No such command {name}. Did you mean {names}?",
    "zzz": "No such command {name}.",
}


@pytest.mark.parametrize(("line", "template"), _WRONG.items())
def test_what_typer_says_is_recognised(line: str, template: str) -> None:
    with pytest.raises(typer.TyperException) as caught:
        build_app()(line.split(), prog_name="enlarger", standalone_mode=False)
    said = said_again(caught.value.format_message())
    assert isinstance(said, Message)
    assert said.template == template
    assert str(said) == caught.value.format_message()  # nothing is lost on the way


@pytest.mark.parametrize("line", ["--scale many", "--width many", "--precision some"])
def test_the_problem_with_a_value_is_recognised_too(line: str) -> None:
    with pytest.raises(typer.TyperException) as caught:
        build_app()(["upscale", "a", *line.split()], prog_name="enlarger", standalone_mode=False)
    said = said_again(caught.value.format_message())
    assert isinstance(said, Message)
    assert isinstance(said.facts["problem"], Message)


def test_other_sentences_stay_as_they_are() -> None:
    assert said_again("Something new.") == "Something new."


@pytest.fixture
def own_gettext() -> Iterator[None]:
    before = gettext.dgettext
    yield
    gettext.dgettext = before


@pytest.mark.usefixtures("own_gettext")
def test_gettext_knows_our_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    join_gettext()
    assert [gettext.gettext(word.template) for word in gettext_words()] == [word.template for word in gettext_words()]
    assert gettext.gettext("no word of ours") == "no word of ours"


def test_no_template_hides_another() -> None:
    templates = [message.template for message in plain_sentences()]
    assert len(set(templates)) == len(templates)
    for message in plain_sentences():
        text = str(Message(message.template, dict.fromkeys(message.facts, "x")))
        said = said_again(text)
        assert isinstance(said, Message)
        assert said.template == message.template
