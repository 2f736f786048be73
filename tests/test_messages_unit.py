"""A message keeps template and facts apart, and finds the reader's language."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from hypothesis import given
from hypothesis import strategies as st

from enlarger import messages
from enlarger.messages import Message, current_language, msg, read_po, translate
from scripts import messages as tool

_PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "{path}: no picture ({reason})."
msgstr "{path}:不是图片({reason})。"

msgid "too short"
msgstr "太短"

#, fuzzy
msgid "empty"
msgstr ""
"""


def test_a_message_is_stored_and_told_later_in_any_language() -> None:
    stored = msg("{first} {second}", first=msg("{count} pages", count=2), second=Path("a b"))
    again = Message.from_json(json.loads(json.dumps(stored.as_json())))
    assert again.text("en") == stored.text("en") == "2 pages a b"
    assert isinstance(again.facts["first"], Message)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Chinese catalogue of two sentences in place of the shipped one."""
    path = tmp_path / "zh" / "LC_MESSAGES" / "enlarger.po"
    path.parent.mkdir(parents=True)
    path.write_text(_PO, "utf-8")
    monkeypatch.setattr(messages, "_LOCALE_DIR", tmp_path)
    messages._catalogue.cache_clear()
    yield
    messages._catalogue.cache_clear()


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"ENLARGER_LANGUAGE": "zh"}, "zh"),
        ({"ENLARGER_LANGUAGE": "zh_TW.UTF-8"}, "zh"),
        ({"ENLARGER_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "de_DE"}, "zh"),
        ({"LANG": "ja_JP.UTF-8"}, "en"),
    ],
)
def test_language(variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENLARGER_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert current_language() == language


@pytest.mark.usefixtures("catalogue")
def test_one_message_in_two_languages() -> None:
    message = msg("{path}: no picture ({reason}).", path="a.png", reason=msg("too short"))
    assert message.text("en") == "a.png: no picture (too short)."
    assert message.text("zh") == "a.png:不是图片(太短)。"


@pytest.mark.usefixtures("catalogue")
def test_untranslated_sentences_stay_english() -> None:
    assert translate("empty", "zh") == "empty"
    assert translate("never seen", "zh") == "never seen"


def test_a_missing_catalogue_leaves_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_LOCALE_DIR", tmp_path / "none")
    messages._catalogue.cache_clear()
    assert msg("too short").text("zh") == "too short"
    messages._catalogue.cache_clear()


_sentences = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\t\r"\\ '), min_size=1)


@given(st.dictionaries(_sentences, st.just("") | _sentences), st.sampled_from([10, 80, 110]))
def test_a_catalogue_that_babel_wrote_is_read_as_it_was(entries: dict[str, str], width: int) -> None:
    catalogue = Catalog(charset="utf-8")
    for template, translation in entries.items():
        catalogue.add(template, translation, auto_comments=["msgid "], locations=[("a.py", 0)])
    file = io.BytesIO()
    write_po(file, catalogue, width=width)
    assert read_po(file.getvalue().decode("utf-8")) == {k: v for k, v in entries.items() if v}


def test_the_shipped_catalogue_is_read_as_babel_reads_it() -> None:
    expected = {message.id: message.string for message in tool.load() if message.id and message.string}
    assert len(expected) > 300
    assert read_po(tool.CATALOGUE.read_text("utf-8")) == expected


def test_entries_that_were_dropped_are_not_read() -> None:
    assert read_po('#~ msgid "gone"\n#~ msgstr "没了"\n\nmsgid "a"\nmsgstr "甲"\n') == {"a": "甲"}


@given(st.text())
def test_braces_in_facts_are_left_alone(name: str) -> None:
    assert msg("<{path}>", path=name).text("en") == f"<{name}>"
    assert msg("<{path}>", path="{path}{0}{").text("en") == "<{path}{0}{>"


def test_equal_messages_are_one_in_a_set() -> None:
    assert len({msg("{path}: no.", path=path) for path in ("a", "a", "b")}) == 2


def test_messages_travel_between_processes() -> None:
    message = msg("{n} pages", n=3)
    assert pickle.loads(pickle.dumps(message)) == message == Message("{n} pages", {"n": 3})
